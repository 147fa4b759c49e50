import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { BuildError, messageOf } from '../facts/errors.js'
import { start } from './process.js'

/**
 * Runs `work` while holding an exclusive lock on a file; another process waits. Freed even by a crash.
 * Throws a BuildError where the lock cannot be had at all.
 */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(file), { recursive: true })
  // flock(1) keeps the lock as long as cat runs: until our end of its stdin closes.
  const holder = start('flock', ['--exclusive', file, 'sh', '-c', 'echo locked; cat'])
  // It may have ended before its stdin does.
  holder.stdin?.on('error', () => {})
  let complaint = ''
  holder.stderr?.on('data', (data: Buffer) => {
    complaint += data
  })
  const ended = new Promise<void>((resolve) => {
    holder.once('error', (error) => {
      complaint = messageOf(error)
      resolve()
    })
    holder.once('close', () => resolve())
  })
  const locked = new Promise<boolean>((resolve) => {
    holder.stdout?.once('data', () => resolve(true))
    void ended.then(() => resolve(false))
  })
  try {
    if (!(await locked)) throw new BuildError(`${file} cannot be locked: ${complaint.trim()}`)
    return await work()
  } finally {
    holder.stdin?.end()
    await ended
  }
}
