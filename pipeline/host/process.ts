import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process'

// The only module that starts processes.

/** Those that run now and must not outlive this process. */
const children = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of children) child.kill('SIGTERM')
})

function track(child: ChildProcess): ChildProcess {
  children.add(child)
  child.once('close', () => children.delete(child))
  return child
}

export interface Outcome {
  /** Exit code; null where a signal or the time limit ended the command. */
  status: number | null
  stdout: string
  stderr: string
}

export interface CommandOptions {
  cwd?: string
  /** Variables beside those of this process. */
  env?: Record<string, string>
  /** What the command reads. */
  input?: string
  /** Ends the command as Ctrl-C would. */
  signal?: AbortSignal
  /** Milliseconds after which the command is ended. */
  timeout?: number
  /** Where its stdout or stderr goes instead of the outcome: our own stderr, or nowhere. */
  show?: 'stderr'
}

/** Runs a command to its end and keeps what it printed. Throws only when it cannot be started. */
export function run(command: string, args: readonly string[], options: CommandOptions = {}) {
  const { cwd, env, input = '', signal, timeout, show } = options
  return new Promise<Outcome>((resolve, reject) => {
    const child = spawn(command, args, {
      ...(cwd !== undefined && { cwd }),
      ...(timeout !== undefined && { timeout }),
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', show === 'stderr' ? 'inherit' : 'pipe'],
    })
    const outcome: Outcome = { status: null, stdout: '', stderr: '' }
    child.stdout?.on('data', (data: Buffer) => {
      outcome.stdout += data
    })
    child.stderr?.on('data', (data: Buffer) => {
      outcome.stderr += data
    })
    // A command that does not read its input may have ended before it is written.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
    track(child)
    signal?.addEventListener('abort', () => child.kill('SIGINT'))
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
  return stdoutOf(command, args, await run(command, args, options))
}

/** The stdout of a command that must have succeeded. Throws with what it printed. */
export function stdoutOf(
  command: string,
  args: readonly string[],
  { status, stdout, stderr }: Outcome,
): string {
  if (status === 0) return stdout
  throw new Error(`${command} ${args.join(' ')}: exit ${status}\n${stdout}${stderr}`)
}

/** Starts a command that goes on: its streams are the caller's business, and its end is, where it is detached. */
export function start(
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): ChildProcess {
  const child = spawn(command, args, options)
  return options.detached ? child : track(child)
}

/** Runs a command to its end without giving way to anything else, as handlers of the event `exit` must. */
export function runSync(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): void {
  spawnSync(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}
