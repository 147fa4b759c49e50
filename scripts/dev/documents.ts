import { z } from 'zod'
import { variantsSchema } from '../../pipeline/facts/schema.js'
import { succeed } from '../../pipeline/host/process.js'
import { contractTable } from '../../pipeline/recipe/host-contract.js'

/** variants.schema.json, by which editors complete and explain variants.json. */
export function variantsJsonSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(variantsSchema), null, 2)}\n`
}

/** The documents, some of which show what commands print. */
export const documents = [
  'README.md',
  'CONTRIBUTING.md',
  ...['adding', 'architecture', 'nodes', 'performance', 'release', 'trust', 'using'].map(
    (name) => `docs/${name}.md`,
  ),
]

// <!-- npm run build -- --help --> and the fenced block below it.
const block = /(?<=^<!-- npm run (.+) -->\n\n```\w*\n)[\s\S]*?(?=^```$)/gm

const contractBlock = /(?<=^<!-- tools\/preflight\/host\.json -->\n\n)(?:\|.*\n)*/m

/** A document with what the commands that it names print now: below each comment with one, in the fenced block. */
export async function withOutputs(text: string): Promise<string> {
  const commands = [...text.matchAll(block)].map(([, command]) => command as string)
  const outputs = await Promise.all(
    commands.map(async (command) => {
      const [script = '', ...args] = command.split(' ')
      return [command, await succeed('npm', ['run', script, ...args])] as const
    }),
  )
  const byCommand = new Map(outputs)
  return text
    .replace(block, (_, command: string) => byCommand.get(command) as string)
    .replace(contractBlock, () => contractTable())
}
