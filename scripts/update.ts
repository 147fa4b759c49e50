import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { messageOf, UserError } from '../pipeline/errors.js'
import { newsOf, withNewest } from '../pipeline/update.js'
import { loadVariants } from '../pipeline/variants.js'
import { exitWith } from './exit.js'
import { listPublished } from './published.js'

const help = `Usage: npm run update -- [--check]

Asks the Go module proxy for releases of Kubernetes that variants.json does not know, prints the newest of each minor and
writes it there; --check only prints. A minor that is new needs an entry of its own: see the README.
`

await exitWith(async () => {
  const given = parseFlags(process.argv.slice(2))
  if (given.help) {
    process.stdout.write(help)
    return
  }
  const facts = loadVariants()
  const published = await listPublished()
  const { releases, minors } = newsOf(published, facts)
  for (const release of releases) process.stdout.write(`${release}\n`)
  for (const minor of minors) {
    process.stderr.write(`${minor} is of a minor that variants.json does not have\n`)
  }
  if (given.check || releases.length === 0) return
  const file = new URL('../variants.json', import.meta.url)
  await writeFile(file, withNewest(await readFile(file, 'utf8'), releases, facts))
})

function parseFlags(args: string[]) {
  const flag = { type: 'boolean' } as const
  try {
    return parseArgs({ args, options: { check: flag, help: flag } }).values
  } catch (error) {
    throw new UserError(`${messageOf(error).split('\n')[0]}; see --help`, { cause: error })
  }
}
