import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout that is tested. */
export const project = fileURLToPath(new URL('../..', import.meta.url))

/** Flags of `npm run build` for the image that most tests are about. */
export const baseImage = '--k8s v1.24.0 --image kubelet --variant base --base static'.split(' ')

export interface Outcome {
  status: number | null
  stdout: string
  stderr: string
}

export interface Options {
  cwd?: string
  env?: Record<string, string>
  signal?: AbortSignal
}

/** Runs a command to its end and keeps what it printed. */
export function run(command: string, args: readonly string[], options: Options = {}) {
  return new Promise<Outcome>((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? project,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const outcome: Outcome = { status: null, stdout: '', stderr: '' }
    child.stdout.on('data', (data: Buffer) => {
      outcome.stdout += data
    })
    child.stderr.on('data', (data: Buffer) => {
      outcome.stderr += data
    })
    options.signal?.addEventListener('abort', () => child.kill('SIGINT'))
    child.once('error', reject)
    child.once('close', (status) => resolve({ ...outcome, status }))
  })
}

/** Runs a command that must succeed; gives its stdout. */
export async function succeed(command: string, args: readonly string[], options: Options = {}) {
  const { status, stdout, stderr } = await run(command, args, options)
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')}: exit ${status}\n${stdout}${stderr}`)
  return stdout
}

/** `npm run SCRIPT -- ARGS`, as a user types it. */
export function npm(script: string, args: readonly string[], options: Options = {}) {
  return run('npm', ['run', script, '--', ...args], options)
}

/** The code block of the README that contains a text, so that what users paste is what is tested. */
export function readmeCommand(text: string): string {
  const blocks = readme().matchAll(/^```sh\n(.*?)^```$/gms)
  const block = [...blocks].map(([, code]) => code as string).find((code) => code.includes(text))
  if (block === undefined) throw new Error(`README.md has no command with ${text}`)
  return block
}

export function readme(): string {
  return readFileSync(join(project, 'README.md'), 'utf8')
}
