import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { $ } from 'zx'
import { BuildError } from '../../pipeline/errors.js'
import { cacheDirectory } from '../cache.js'
import { hasProgram } from '../host.js'

/** The pinned release of SDK, CLI and engine: newer engines need Go modules that not every proxy serves. */
export const daggerVersion = 'v0.19.10'

const source = fileURLToPath(new URL('dagger/', import.meta.url))
const inputs = ['go.mod', 'go.sum', 'distconsts/distconsts.go']

/**
 * The directory with engine, CLI and the engine's helpers, compiled from Go modules once per version of
 * scripts/engine/dagger. Callers hold the engine's lock.
 */
export async function buildBinaries(): Promise<string> {
  const folder = await binaryDirectory()
  if (existsSync(folder)) return folder
  if (!hasProgram('go')) {
    throw new BuildError('missing on this machine: go. Install Go 1.21 or later, and try again.')
  }
  process.stderr.write(
    `compiling Dagger ${daggerVersion} from its Go modules (once, some minutes)\n`,
  )
  const partial = `${folder}.partial`
  await rm(partial, { recursive: true, force: true })
  await mkdir(partial, { recursive: true })
  const version = ['Version', 'Tag'].map((name) => `-X ${dagger}/engine.${name}=${daggerVersion}`)
  const ldflags = ['-s', '-w', ...version].join(' ')
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off', GOTOOLCHAIN: 'auto' }
  const build = $({ cwd: source, env, quiet: true, nothrow: true })
  const { exitCode, stderr } =
    await build`go build -trimpath -ldflags ${ldflags} -o ${partial}/ tool`
  if (exitCode !== 0) {
    throw new BuildError(
      `go build of the Dagger engine failed:\n${stderr.split('\n').slice(-20).join('\n')}`,
    )
  }
  await rename(partial, folder)
  return folder
}

const dagger = 'github.com/dagger/dagger'

/** Where the binaries of this version of the project are, built or not. */
export async function binaryDirectory(): Promise<string> {
  const hash = createHash('sha256')
  for (const input of inputs) hash.update(await readFile(join(source, input)))
  return join(cacheDirectory, 'engine', `bin-${hash.digest('hex').slice(0, 12)}`)
}
