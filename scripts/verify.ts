import { cpSync, existsSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { table } from 'table'
import {
  compareDigests,
  type DigestPair,
  differingFiles,
} from '../pipeline/build/compare-builds.js'
import { buildPlanned, planRequested } from '../pipeline/build/prepare.js'
import { binaryDirectory } from '../pipeline/engine/compile.js'
import { BuildError } from '../pipeline/facts/errors.js'
import { flagOf } from '../pipeline/facts/flags.js'
import type { Facts } from '../pipeline/facts/schema.js'
import { run, runSync } from '../pipeline/host/process.js'
import { line } from '../pipeline/host/progress.js'
import { temporaryDirectory } from '../pipeline/host/temporary.js'
import { lockHash } from '../pipeline/inputs/lock.js'
import type { BuildRequest, BuildValues } from '../pipeline/plan/request.js'
import { readRows } from '../pipeline/sizes/content.js'
import { loadMeasured } from '../pipeline/sizes/figures.js'
import { recordedRows } from '../pipeline/sizes/recorded.js'

export interface VerifyRequest {
  /** Compare with what is recorded, and not with a second build. */
  recorded: boolean
  build: BuildRequest
  /** What the build was made of. */
  values: BuildValues
}

export default async function verify(request: VerifyRequest, facts: Facts): Promise<void> {
  const folder = temporaryDirectory('verify')
  await (request.recorded ? verifyRecorded : verifyTwice)(request, facts, folder)
}

/** Compares a build with what is recorded. */
async function verifyRecorded(
  { build }: VerifyRequest,
  facts: Facts,
  folder: string,
): Promise<void> {
  const request = { ...build, output: folder }
  const specs = await planRequested(request, facts)
  const recorded = recordedRows(specs, loadMeasured(), lockHash())
  const digests = compareDigests(recorded, await buildPlanned(request, facts, specs))
  report(['recorded', 'built'], digests)
  const count = digests.filter(differs).length
  if (count > 0) throw new BuildError(`${count} of ${digests.length} digests are not the recorded`)
}

/** Compares a build on the engine that builds use, and with what it has cached, with one that has nothing. */
async function verifyTwice(
  { build, values }: VerifyRequest,
  facts: Facts,
  folder: string,
): Promise<void> {
  const [first, second] = ['first', 'second'].map((name) => join(folder, name)) as [string, string]
  const request = { ...build, output: first }
  const rows = await buildPlanned(request, facts, await planRequested(request, facts))
  await buildAfresh(flagsOf({ ...values, engine: 'embedded', output: second }), `${second}-cache`)
  const digests = compareDigests(rows, await readRows(second))
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

/** Builds with nothing but the engine's own programs there, which no image is made of: as a process, because the cache is its own. */
async function buildAfresh(flags: readonly string[], cache: string): Promise<void> {
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
    const { status } = await run('npm', ['run', 'build', '--', ...flags], { env, show: 'stderr' })
    if (status !== 0) throw new BuildError('the build failed: see above')
  } finally {
    process.off('exit', clean)
    clean()
  }
}

/** Values as flags of `npm run build`. */
function flagsOf(values: BuildValues): string[] {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .flatMap(([name, value]) => {
      const flag = flagOf(name)
      return [value].flat().map((one) => (one === true ? flag : `${flag}=${one}`))
    })
}
