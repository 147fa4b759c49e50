import { spawn } from 'node:child_process'

export interface Outcome {
  status: number | null
  stdout: string
  stderr: string
}

export interface CommandOptions {
  cwd?: string
  env?: Record<string, string>
  /** What the command reads. */
  input?: string
  /** Ends the command as Ctrl-C would. */
  signal?: AbortSignal
}

/** Runs a command to its end and keeps what it printed. Throws only when it cannot be started. */
export function run(command: string, args: readonly string[], options: CommandOptions = {}) {
  return new Promise<Outcome>((resolve, reject) => {
    const child = spawn(command, args, {
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const outcome: Outcome = { status: null, stdout: '', stderr: '' }
    child.stdout.on('data', (data: Buffer) => {
      outcome.stdout += data
    })
    child.stderr.on('data', (data: Buffer) => {
      outcome.stderr += data
    })
    // A command that does not read its input may have ended before it is written.
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
    options.signal?.addEventListener('abort', () => child.kill('SIGINT'))
    child.once('error', reject)
    child.once('close', (status) => resolve({ ...outcome, status }))
  })
}

/** Runs a command that must succeed; gives its stdout. Throws with what it printed. */
export async function succeed(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { status, stdout, stderr } = await run(command, args, options)
  if (status !== 0) {
    throw new Error(`${command} ${args.join(' ')}: exit ${status}\n${stdout}${stderr}`)
  }
  return stdout
}
