import { mkdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { table } from 'table'
import { verifyOutput } from '../pipeline/build/prepare.js'
import { writeBundle } from '../pipeline/build/write-bundle.js'
import { notAllowed } from '../pipeline/facts/closed-set.js'
import { BuildError, UserError } from '../pipeline/facts/errors.js'
import { loadVariants, type Variants } from '../pipeline/facts/load.js'
import { parseArch } from '../pipeline/facts/platform.js'
import { line } from '../pipeline/host/progress.js'
import { fetchInputs } from '../pipeline/inputs/fetch.js'
import { describeFile, filesFor, type LockedFile, loadLock } from '../pipeline/inputs/lock.js'
import { purposesOf } from '../pipeline/inputs/needed.js'
import { notStored, sha256Of, storeDirectory } from '../pipeline/inputs/store.js'
import { planImages } from '../pipeline/plan/images.js'
import { type BuildRequest, offlineBase, parseBuildRequest } from '../pipeline/plan/request.js'
import { megabytes } from '../pipeline/sizes/rows.js'
import { exitWith } from './terminal/run.js'

const help = `Usage: npm run inputs -- list|fetch|verify|bundle [options of npm run build]

The files from outside that builds are made of, as inputs.lock.json names them: those that a request needs on this machine, or
all of them where no --k8s is given.

  list     print them; as JSON with --json
  fetch    fetch those that are not in the cache
  verify   compare those in the cache with the lock; exit status 1 where one is missing or damaged
  bundle   write them, all Go modules and toolchains, and the packages of npm, into one archive in the directory that --output names,
           for npm run build -- --offline BUNDLE on machines of this architecture (base static)
`

interface Asked {
  facts: Variants
  /** What to build; none where everything is meant. */
  request?: BuildRequest
  json: boolean
}

const commands: Record<string, (asked: Asked) => unknown> = {
  list(asked) {
    const files = filesOf(asked)
    const rows = files.map((file) => [
      file.package,
      file.version,
      file.architecture,
      file.size,
      `${file.archive}/${file.path}`,
    ])
    const head = ['package', 'version', 'architecture', 'bytes', 'file']
    print(asked.json ? `${JSON.stringify(files, null, 2)}\n` : table([head, ...rows]))
  },
  async fetch(asked) {
    const files = filesOf(asked)
    await fetchInputs(files, { sources: asked.facts.sources, say: line })
    print(`${sumOf(files)} are in ${storeDirectory}\n`)
  },
  async verify(asked) {
    const files = filesOf(asked)
    const faults = await notStored(files)
    if (faults.length === 0) return print(`${sumOf(files)} are as the lock names them\n`)
    const lines = faults.map(({ file, state }) => `${describeFile(file)}: ${state}`)
    throw new BuildError([...lines, 'npm run inputs -- fetch fetches them'].join('\n'))
  },
  async bundle({ facts, request }) {
    if (request === undefined) {
      throw new UserError('missing --k8s: name the Kubernetes release, for example --k8s v1.24.0')
    }
    const base = offlineBase(request.base, facts)
    const specs = planImages({ ...request, base }, facts)
    verifyOutput(resolve(request.output))
    const { version } = request.kubernetes
    const file = join(
      request.output,
      `kubelet-images-${version}-${parseArch(process.arch)}.bundle.tar`,
    )
    await mkdir(request.output, { recursive: true })
    await writeBundle(request, facts, specs, resolve(file))
    const { size } = await stat(file)
    print(`${file}: ${megabytes(size)}, sha256 ${await sha256Of(file)}\n`)
  },
}

await exitWith(async () => {
  const [command = '', ...args] = process.argv.slice(2)
  if (command === '--help') return print(help)
  const run = Object.hasOwn(commands, command) ? commands[command] : undefined
  if (run === undefined) {
    const allowed = Object.keys(commands)
    if (command === '') throw new UserError(`missing command: choose from ${allowed.join(', ')}`)
    throw notAllowed('command', command, allowed)
  }
  const facts = loadVariants()
  const others = args.filter((arg) => arg !== '--json')
  const request = others.length === 0 ? undefined : parseBuildRequest(others, facts)
  if (request === 'help') return print(help)
  await run({ facts, ...(request && { request }), json: others.length < args.length })
})

function print(text: string): void {
  process.stdout.write(text)
}

function filesOf({ facts, request }: Asked): LockedFile[] {
  const lock = loadLock()
  if (request === undefined) return lock.files
  return filesFor(lock, purposesOf(planImages(request, facts), facts, parseArch(process.arch)))
}

function sumOf(files: readonly LockedFile[]): string {
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  return `${files.length} files, ${megabytes(bytes)}`
}
