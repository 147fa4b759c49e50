import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { BuildError } from '../facts/errors.js'
import { run } from './process.js'

/** A program that the host must have, and the Debian package it comes from. */
export type HostPrograms = Readonly<Record<string, string>>

// A mirror that stalls is asked again; one that refuses is not.
const apt = ['-q', '-o', 'Acquire::http::Timeout=20', '-o', 'Acquire::Retries=5']

/** The PATH without npm's additions: node_modules/.bin may hold programs with names of the system's, such as nft. */
export function systemPath(): string {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.filter((folder) => !folder.includes('node_modules')).join(delimiter)
}

/** Whether a program is on the PATH (sbin included, as root has it). */
export function hasProgram(name: string): boolean {
  const folders = [...systemPath().split(delimiter), '/usr/sbin', '/sbin']
  return folders.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/**
 * Makes sure that programs are there: installs their packages as root on Debian or Ubuntu.
 * Throws a BuildError that names the packages elsewhere.
 */
export async function requirePrograms(programs: HostPrograms): Promise<void> {
  const missing = Object.keys(programs).filter((name) => !hasProgram(name))
  if (missing.length === 0) return
  const packages = [...new Set(missing.map((name) => programs[name] as string))]
  const asked = `missing on this machine: ${missing.join(', ')}`
  if (!isDebian() || process.getuid?.() !== 0) {
    throw new BuildError(
      `${asked}. Install the packages ${packages.join(' ')} (as root), and try again.`,
    )
  }
  process.stderr.write(`installing ${packages.join(' ')}\n`)
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  // One mirror of several that fails to update must not stop what the others can install.
  await run('apt-get', [...apt, 'update'], { env })
  const flags = ['--yes', '--no-install-recommends']
  const install = await run('apt-get', [...apt, 'install', ...flags, ...packages], { env })
  if (install.status !== 0) {
    throw new BuildError(
      `${asked}. apt-get install ${packages.join(' ')} failed:\n${install.stderr}`,
    )
  }
}

function isDebian(): boolean {
  if (!existsSync('/etc/os-release')) return false
  const release = readFileSync('/etc/os-release', 'utf8')
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release) && hasProgram('apt-get')
}
