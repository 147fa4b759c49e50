import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { table } from 'table'
import { $ } from 'zx'
import { BuildError, UserError } from '../pipeline/errors.js'
import { parseBuildRequest } from '../pipeline/request.js'
import { loadVariants } from '../pipeline/variants.js'
import { binaryDirectory } from './engine/binaries.js'
import { exitWith } from './exit.js'
import { line } from './progress.js'
import { temporaryDirectory } from './temporary.js'
import { compareDigests, differingFiles } from './verify/compare.js'

const verifyHelp = `Usage: npm run verify -- --k8s VERSION [options of npm run build]

Builds images twice, each time with empty caches on an embedded engine of its own, and compares their digests. Where they
differ, it names the files that do. It takes the time of two first builds; --help of npm run build has the options, of
which --output, --engine, --plan and --json have no place here.

Exit status: 0 they are the same, 1 they differ or a build failed, 2 the request was wrong.
`

const fixed = ['--output', '--engine', '--plan', '--json']

await exitWith(async () => {
  const args = process.argv.slice(2)
  const misplaced = args.find((arg) => fixed.includes(arg.split('=', 1)[0] as string))
  if (misplaced !== undefined) {
    throw new UserError(`${misplaced} has no place here: see npm run verify -- --help`)
  }
  if (parseBuildRequest(args, loadVariants()) === 'help') {
    process.stdout.write(verifyHelp)
    return
  }
  const folder = temporaryDirectory('verify')
  const builds = ['first', 'second'].map((name) => join(folder, name))
  for (const output of builds) await buildAfresh(args, output)
  const [first, second] = builds as [string, string]
  const digests = await compareDigests(first, second)
  const rows = digests.map(({ image, arch, before, after }) => [
    image,
    arch,
    before,
    before === after ? 'the same again' : after,
  ])
  process.stdout.write(table([['image', 'arch', 'first build', 'second build'], ...rows]))
  if (digests.every(({ before, after }) => before === after)) return
  throw new BuildError(
    ['the builds differ, in:', ...(await differingFiles(first, second))].join('\n'),
  )
})

/** Builds with nothing but the engine's own programs there, which no image is made of. */
async function buildAfresh(args: readonly string[], output: string): Promise<void> {
  const cache = `${output}-cache`
  const env = { ...process.env, XDG_CACHE_HOME: cache }
  const clean = () => {
    const silent = { env, stdio: 'ignore' } as const
    spawnSync('npm', ['run', 'engine', '--', 'down'], silent)
    rmSync(cache, { recursive: true, force: true })
  }
  // Interrupted too, and before the directory goes that says how to stop the engine.
  process.prependOnceListener('exit', clean)
  const programs = await binaryDirectory()
  if (existsSync(programs)) {
    const place = join(cache, 'kubelet-images/engine', basename(programs))
    cpSync(programs, place, { recursive: true })
  }
  line(`${basename(output)} build`)
  const build = $({ env, nothrow: true, stdio: ['ignore', 'ignore', 'inherit'] })
  const { exitCode } = await build`npm run build -- ${args} --engine embedded --output ${output}`
  process.off('exit', clean)
  clean()
  if (exitCode !== 0) throw new BuildError(`the ${basename(output)} build failed: see above`)
}
