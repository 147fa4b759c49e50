import { existsSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { listPublished } from '../pipeline/build/releases.js'
import { messageOf, UserError } from '../pipeline/facts/errors.js'
import { loadVariants, type Variants, variantsFile } from '../pipeline/facts/load.js'
import { line } from '../pipeline/host/progress.js'
import { loadLock, lockFile, printLock } from '../pipeline/inputs/lock.js'
import { makeLock } from '../pipeline/inputs/make-lock.js'
import { newsOf, withNewest } from '../pipeline/plan/update.js'
import { exitWith } from './terminal/run.js'

const help = `Usage: npm run update -- [--inputs] [--check]

Asks the Go module proxy for releases of Kubernetes that variants.json does not know, prints the newest of each minor and
writes it there; --check only prints. A minor that is new needs an entry of its own: see the README.

With --inputs it asks Debian's and PyPI's indexes instead, prints the packages that changed, and writes inputs.lock.json. Where the
index of an architecture is not the one that its signature covers, the files of that architecture stay as they are.
`

await exitWith(async () => {
  const given = parseFlags(process.argv.slice(2))
  if (given.help) {
    process.stdout.write(help)
    return
  }
  const facts = loadVariants()
  if (given.inputs) return updateInputs(facts, given.check ?? false)
  const published = await listPublished()
  const { releases, minors } = newsOf(published, facts)
  for (const release of releases) process.stdout.write(`${release}\n`)
  for (const minor of minors) {
    process.stderr.write(`${minor} is of a minor that variants.json does not have\n`)
  }
  if (given.check || releases.length === 0) return
  await writeFile(variantsFile, withNewest(await readFile(variantsFile, 'utf8'), releases, facts))
})

async function updateInputs(facts: Variants, check: boolean): Promise<void> {
  const earlier = existsSync(lockFile) ? loadLock() : undefined
  const { lock, changes, warnings } = await makeLock(facts, earlier, line)
  for (const change of changes) process.stdout.write(`${change}\n`)
  for (const warning of warnings) process.stderr.write(`${warning}\n`)
  if (check || changes.length === 0) return
  const partial = `${fileURLToPath(lockFile)}.partial`
  await writeFile(partial, printLock(lock))
  await rename(partial, lockFile)
}

function parseFlags(args: string[]) {
  const flag = { type: 'boolean' } as const
  try {
    return parseArgs({ args, options: { check: flag, help: flag, inputs: flag } }).values
  } catch (error) {
    throw new UserError(`${messageOf(error).split('\n')[0]}; see --help`, { cause: error })
  }
}
