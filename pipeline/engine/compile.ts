import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BuildError } from '../facts/errors.js'
import { projectFile } from '../facts/project.js'
import { requireGo } from '../host/go-tool.js'
import { cacheDirectory } from '../host/paths.js'
import { run } from '../host/process.js'
import { temporaryDirectory } from '../host/temporary.js'

/** The pinned release of SDK, CLI and engine: newer engines need Go modules that not every proxy serves. */
export const daggerVersion = 'v0.19.10'

const source = fileURLToPath(projectFile('tools/dagger-engine/'))
const inputs = ['go.mod', 'go.sum', 'distconsts/distconsts.go']

/**
 * The directory with engine, CLI and the engine's helpers, compiled from Go modules once per version of
 * tools/dagger-engine. Callers hold the engine's lock.
 */
export async function buildBinaries(): Promise<string> {
  const folder = await binaryDirectory()
  if (existsSync(folder)) return folder
  requireGo()
  process.stderr.write(
    `compiling Dagger ${daggerVersion} from its Go modules (once, some minutes)\n`,
  )
  const partial = `${folder}.partial`
  await rm(partial, { recursive: true, force: true })
  await mkdir(partial, { recursive: true })
  const version = ['Version', 'Tag'].map((name) => `-X ${dagger}/engine.${name}=${daggerVersion}`)
  const ldflags = ['-s', '-w', ...version].join(' ')
  const build = ['build', '-trimpath', '-ldflags', ldflags, '-o', `${partial}/`, 'tool']
  const { status, stderr } = await go(build)
  if (status !== 0) {
    throw new BuildError(
      `go build of the Dagger engine failed:\n${stderr.split('\n').slice(-20).join('\n')}`,
    )
  }
  await rename(partial, folder)
  return folder
}

/**
 * Writes the modules that `buildBinaries` needs into a folder, as a module proxy serves them, and the Go toolchain for machines whose Go is
 * older. Throws a BuildError.
 */
export async function fetchEngineModules(folder: string): Promise<void> {
  requireGo()
  const known = await go(['env', 'GOMODCACHE', 'GOPROXY', 'GOARCH'])
  const [cache, proxy, arch] = known.stdout.trim().split('\n')
  const release = /^go (\S+)$/m.exec(await readFile(join(source, 'go.mod'), 'utf8'))?.[1]
  const modules = temporaryDirectory('modules')
  // What the user's own module cache has need not be downloaded again.
  const env = {
    GOMODCACHE: modules,
    GOPROXY: `file://${cache}/cache/download,${proxy}`,
    GOFLAGS: '-modcacherw',
  }
  for (const command of [
    ['list', '-deps', 'tool'],
    ['mod', 'download', `golang.org/toolchain@v0.0.1-go${release}.linux-${arch}`],
  ]) {
    const { status, stderr } = await go(command, env)
    if (status !== 0) throw new BuildError(`go ${command.join(' ')} failed:\n${stderr}`)
  }
  const leaveOut = new Set(['sumdb', 'lock', 'cache.lock'])
  await cp(join(modules, 'cache', 'download'), folder, {
    recursive: true,
    filter: (path) => !leaveOut.has(basename(path)) && !path.endsWith('.lock'),
  })
}

/** Runs the go command on the module of the engine. */
function go(args: readonly string[], environment: Record<string, string> = {}) {
  const own = { CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off', GOTOOLCHAIN: 'auto' }
  return run('go', args, { cwd: source, env: { ...own, ...environment } })
}

const dagger = 'github.com/dagger/dagger'

/** Where the binaries of this version of the project are, built or not. */
export async function binaryDirectory(): Promise<string> {
  const hash = createHash('sha256')
  for (const input of inputs) hash.update(await readFile(join(source, input)))
  return join(cacheDirectory, 'engine', `bin-${hash.digest('hex').slice(0, 12)}`)
}
