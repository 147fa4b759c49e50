import { cpSync, existsSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { table } from 'table'
import { chooseBase } from '../pipeline/build/alpine-mirror.js'
import {
  compareDigests,
  type DigestPair,
  differingFiles,
} from '../pipeline/build/compare-builds.js'
import { binaryDirectory } from '../pipeline/engine/compile.js'
import { BuildError, UserError } from '../pipeline/facts/errors.js'
import { loadVariants } from '../pipeline/facts/load.js'
import { run, runSync } from '../pipeline/host/process.js'
import { line } from '../pipeline/host/progress.js'
import { temporaryDirectory } from '../pipeline/host/temporary.js'
import { lockHash } from '../pipeline/inputs/lock.js'
import { planImages } from '../pipeline/plan/images.js'
import { type BuildRequest, parseBuildRequest } from '../pipeline/plan/request.js'
import { readRows } from '../pipeline/sizes/content.js'
import { loadMeasured } from '../pipeline/sizes/figures.js'
import { recordedRows } from '../pipeline/sizes/recorded.js'
import { exitWith } from './terminal/run.js'

const verifyHelp = `Usage: npm run verify -- --k8s VERSION [--recorded] [options of npm run build]

Builds images and compares their digests with those of a second build: on an embedded engine of its own, with empty
caches. Where they differ, it names the files that do. The second build takes the time of a first one.

  --recorded  build once, and compare with the digests that pipeline/sizes/data/measured.json has for this checkout's lock

--help of npm run build has the other options, of which --output, --plan and --json have no place here.

Exit status: 0 they are the same, 1 they differ or a build failed, 2 the request was wrong.
`

const misplaced = ['--output', '--plan', '--json']

await exitWith(async () => {
  const args = process.argv.slice(2)
  const flag = args.find((arg) => misplaced.includes(arg.split('=', 1)[0] as string))
  if (flag !== undefined) {
    throw new UserError(`${flag} has no place here: see npm run verify -- --help`)
  }
  const options = args.filter((arg) => arg !== '--recorded')
  const request = parseBuildRequest(options, loadVariants())
  if (request === 'help') {
    process.stdout.write(verifyHelp)
    return
  }
  const folder = temporaryDirectory('verify')
  if (options.length < args.length) await verifyRecorded(request, options, folder)
  else await verifyTwice(options, folder)
})

/** Compares a build with what is recorded. */
async function verifyRecorded(
  request: BuildRequest,
  options: readonly string[],
  folder: string,
): Promise<void> {
  const facts = loadVariants()
  const specs = planImages({ ...request, base: await chooseBase(request, facts) }, facts)
  const recorded = recordedRows(specs, loadMeasured(), lockHash())
  await build(options, folder)
  const digests = compareDigests(recorded, await readRows(folder))
  report(['recorded', 'built'], digests)
  const count = digests.filter(differs).length
  if (count > 0) throw new BuildError(`${count} of ${digests.length} digests are not the recorded`)
}

/** Compares a build on the engine that builds use, and with what it has cached, with one that has nothing. */
async function verifyTwice(options: readonly string[], folder: string): Promise<void> {
  const [first, second] = ['first', 'second'].map((name) => join(folder, name)) as [string, string]
  await build(options, first)
  await buildAfresh(options, second)
  const digests = compareDigests(await readRows(first), await readRows(second))
  report(['first build', 'second build'], digests)
  if (!digests.some(differs)) return
  throw new BuildError(
    ['the builds differ, in:', ...(await differingFiles(first, second))].join('\n'),
  )
}

function differs({ before, after }: DigestPair): boolean {
  return before !== after
}

function report(titles: readonly string[], digests: readonly DigestPair[]): void {
  const rows = digests.map((pair) => {
    const { image, arch, before, after = 'not built' } = pair
    return [image, arch, before, differs(pair) ? after : 'the same again']
  })
  process.stdout.write(table([['image', 'arch', ...titles], ...rows]))
}

async function build(
  options: readonly string[],
  output: string,
  env: Record<string, string> = {},
): Promise<void> {
  const args = ['run', 'build', '--', ...options, '--output', output]
  const { status } = await run('npm', args, { env, show: 'stderr' })
  if (status !== 0) throw new BuildError('the build failed: see above')
}

/** Builds with nothing but the engine's own programs there, which no image is made of. */
async function buildAfresh(options: readonly string[], output: string): Promise<void> {
  const cache = `${output}-cache`
  const env = { XDG_CACHE_HOME: cache }
  const clean = () => {
    runSync('npm', ['run', 'engine', '--', 'down'], env)
    rmSync(cache, { recursive: true, force: true })
  }
  // Interrupted too, and before the directory goes that says how to stop the engine.
  process.prependOnceListener('exit', clean)
  const programs = await binaryDirectory()
  if (existsSync(programs)) {
    const place = join(cache, 'kubelet-images/engine', basename(programs))
    cpSync(programs, place, { recursive: true })
  }
  line('the second build, with empty caches')
  try {
    // Of a flag that is given twice the last holds.
    await build([...options, '--engine', 'embedded'], output, env)
  } finally {
    process.off('exit', clean)
    clean()
  }
}
