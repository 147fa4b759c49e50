import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BuildError, messageOf } from '../facts/errors.js'
import { start } from './process.js'

export interface LockOptions {
  /** Beside others that share it; a lock that is not shared is alone. */
  shared?: boolean
  /** Give up at once where another process has it. */
  now?: boolean
}

// What flock(1) ends with where it was not to wait.
const taken = 75

/**
 * Takes a lock on a file and gives what frees it; a crash frees it too. Waits for other processes, or gives nothing where it must not wait.
 * Throws a BuildError where the lock cannot be had at all.
 */
export async function takeLock(
  file: string,
  { shared = false, now = false }: LockOptions = {},
): Promise<(() => Promise<void>) | undefined> {
  await mkdir(dirname(file), { recursive: true })
  // flock(1) keeps the lock as long as cat runs: until our end of its stdin closes.
  const flags = [shared ? '--shared' : '--exclusive', ...(now ? ['--nonblock'] : [])]
  const command = ['--conflict-exit-code', String(taken), file, 'sh', '-c', 'echo locked; cat']
  const holder = start('flock', [...flags, ...command])
  // It may have ended before its stdin does.
  holder.stdin?.on('error', () => {})
  let complaint = ''
  holder.stderr?.on('data', (data: Buffer) => {
    complaint += data
  })
  const ended = new Promise<number | null>((resolve) => {
    holder.once('error', (error) => {
      complaint = messageOf(error)
      resolve(null)
    })
    holder.once('close', (status) => resolve(status))
  })
  const locked = new Promise<boolean>((resolve) => {
    holder.stdout?.once('data', () => resolve(true))
    void ended.then(() => resolve(false))
  })
  if (!(await locked)) {
    if (now && (await ended) === taken) return undefined
    throw new BuildError(`${file} cannot be locked: ${complaint.trim()}`)
  }
  // A lock that is kept to the end must not keep this process from ending.
  holder.unref()
  for (const stream of [holder.stdin, holder.stdout, holder.stderr]) {
    if (stream && 'unref' in stream) (stream.unref as () => void)()
  }
  return async () => {
    holder.ref()
    holder.stdin?.end()
    await ended
  }
}

/** Runs `work` while holding an exclusive lock on a file; another process waits. Throws a BuildError where the lock cannot be had. */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const free = await takeLock(file)
  try {
    return await work()
  } finally {
    await free?.()
  }
}
