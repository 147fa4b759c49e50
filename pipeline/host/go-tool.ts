import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BuildError } from '../facts/errors.js'
import type { Platform } from '../facts/platform.js'
import { projectFile } from '../facts/project.js'
import { run } from './process.js'
import { hasProgram } from './tools.js'

/**
 * Compiles a Go program of tools/ into a folder, static, for this machine or another; gives the path of the binary.
 * Throws a BuildError where there is no Go, or where the program cannot be compiled.
 */
export async function buildGoTool(
  name: string,
  folder: string,
  target?: Pick<Platform, 'arch' | 'goarm'>,
): Promise<string> {
  requireGo()
  const binary = join(folder, name)
  const cwd = fileURLToPath(projectFile(`tools/${name}/`))
  // What the user has set for other projects does not hold here.
  const env = {
    ...{ CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off', GOTOOLCHAIN: 'auto' },
    ...(target && { GOOS: 'linux', GOARCH: target.arch, GOARM: target.goarm ?? '' }),
  }
  const args = ['build', '-trimpath', '-buildvcs=false', '-o', binary, '.']
  const { status, stderr } = await run('go', args, { cwd, env })
  if (status !== 0) throw new BuildError(`go build of tools/${name} failed:\n${stderr}`)
  return binary
}

/** Throws a BuildError where this machine has no Go. */
export function requireGo(): void {
  if (hasProgram('go')) return
  throw new BuildError('missing on this machine: go. Install Go 1.21 or later, and try again.')
}
