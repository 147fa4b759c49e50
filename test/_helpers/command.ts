import { fileURLToPath } from 'node:url'
import {
  type CommandOptions,
  run as runAnywhere,
  succeed as succeedAnywhere,
} from '../../pipeline/host/process.js'

/** The checkout that is tested. */
export const project = fileURLToPath(new URL('../..', import.meta.url))

/** Flags of `npm run build` for the image that most tests are about. */
export const baseImage = '--k8s v1.24.0 --image kubelet --variant base --base static'.split(' ')

/** Runs a command in the checkout and keeps what it printed. */
export function run(command: string, args: readonly string[], options: CommandOptions = {}) {
  return runAnywhere(command, args, { cwd: project, ...options })
}

/** Runs a command in the checkout that must succeed; gives its stdout. */
export function succeed(command: string, args: readonly string[], options: CommandOptions = {}) {
  return succeedAnywhere(command, args, { cwd: project, ...options })
}

/** `npm run SCRIPT -- ARGS`, as a user types it. */
export function npm(script: string, args: readonly string[], options: CommandOptions = {}) {
  return run('npm', ['run', script, '--', ...args], options)
}
