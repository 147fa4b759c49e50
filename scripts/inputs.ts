import { table } from 'table'
import { BuildError, UserError } from '../pipeline/errors.js'
import { describeFile, filesFor, type LockedFile, loadLock } from '../pipeline/inputs/lock.js'
import { purposesOf } from '../pipeline/inputs/needed.js'
import { planImages } from '../pipeline/plan.js'
import { parseArch } from '../pipeline/platform.js'
import { parseBuildRequest } from '../pipeline/request.js'
import { megabytes } from '../pipeline/sizes.js'
import { notAllowed } from '../pipeline/suggestion.js'
import { loadVariants, type Variants } from '../pipeline/variants.js'
import { exitWith } from './exit.js'
import { fetchInputs } from './inputs/fetch.js'
import { notStored, storeDirectory } from './inputs/store.js'
import { line } from './progress.js'

const help = `Usage: npm run inputs -- list|fetch|verify [options of npm run build]

The files from outside that builds are made of, as inputs.lock.json names them: those that a request needs on this machine, or
all of them where no --k8s is given.

  list     print them; as JSON with --json
  fetch    fetch those that are not in the cache
  verify   compare those in the cache with the lock; exit status 1 where one is missing or damaged
`

const commands: Record<string, (files: LockedFile[], facts: Variants, json: boolean) => unknown> = {
  list(files, _, json) {
    const rows = files.map((file) => [
      file.package,
      file.version,
      file.architecture,
      file.size,
      `${file.archive}/${file.path}`,
    ])
    const head = ['package', 'version', 'architecture', 'bytes', 'file']
    process.stdout.write(json ? `${JSON.stringify(files, null, 2)}\n` : table([head, ...rows]))
  },
  async fetch(files, { sources }) {
    await fetchInputs(files, { sources, say: line })
    process.stdout.write(`${sumOf(files)} are in ${storeDirectory}\n`)
  },
  async verify(files) {
    const faults = await notStored(files)
    if (faults.length === 0) {
      process.stdout.write(`${sumOf(files)} are as the lock names them\n`)
      return
    }
    const lines = faults.map(({ file, state }) => `${describeFile(file)}: ${state}`)
    throw new BuildError([...lines, 'npm run inputs -- fetch fetches them'].join('\n'))
  },
}

await exitWith(async () => {
  const [command = '', ...args] = process.argv.slice(2)
  if (command === '--help' || args.includes('--help')) return void process.stdout.write(help)
  const run = Object.hasOwn(commands, command) ? commands[command] : undefined
  if (run === undefined) {
    const allowed = Object.keys(commands)
    if (command === '') throw new UserError(`missing command: choose from ${allowed.join(', ')}`)
    throw notAllowed('command', command, allowed)
  }
  const facts = loadVariants()
  const others = args.filter((arg) => arg !== '--json')
  await run(wanted(others, facts), facts, others.length < args.length)
})

function wanted(args: readonly string[], facts: Variants): LockedFile[] {
  const lock = loadLock()
  if (args.length === 0) return lock.files
  const request = parseBuildRequest(args, facts)
  if (request === 'help') return []
  const specs = planImages(request, facts)
  return filesFor(lock, purposesOf(specs, facts, parseArch(process.arch)))
}

function sumOf(files: readonly LockedFile[]): string {
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  return `${files.length} files, ${megabytes(bytes)}`
}
