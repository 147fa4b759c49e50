import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { $ } from 'zx'
import { BuildError } from '../facts/errors.js'

/**
 * Runs `work` while holding an exclusive lock on a file; another process waits. Freed even by a crash.
 * Throws a BuildError where the lock cannot be had at all.
 */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(file), { recursive: true })
  // flock(1) keeps the lock as long as cat runs: until our end of its stdin closes.
  const holder = $({
    quiet: true,
    nothrow: true,
  })`flock --exclusive ${file} sh -c ${'echo locked; cat'}`
  let locked = false
  try {
    for await (const line of holder) {
      locked = line.startsWith('locked')
      if (locked) break
    }
    if (!locked) throw new BuildError(`${file} cannot be locked: ${(await holder).stderr.trim()}`)
    return await work()
  } finally {
    holder.stdin?.end()
    await holder
  }
}
