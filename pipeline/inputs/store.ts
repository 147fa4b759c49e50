import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { cacheDirectory } from '../host/paths.js'
import type { LockedFile } from './lock.js'

/** Locked files by their content, for every checkout on this machine. */
export const storeDirectory = join(cacheDirectory, 'inputs')

/** Where a locked file is kept, there or not. */
export function storedPath({ sha256 }: Pick<LockedFile, 'sha256'>, store = storeDirectory): string {
  return join(store, sha256)
}

/** Which content, and of how many bytes. */
type Content = Pick<LockedFile, 'size' | 'sha256'>

/** What is kept of a locked file. */
export type State = 'there' | 'missing' | 'damaged'

// What this process has read already.
const verified = new Set<string>()

export async function stateOf(file: Content, store = storeDirectory): Promise<State> {
  const path = storedPath(file, store)
  if (verified.has(path)) return 'there'
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return 'missing'
  if (!found.isFile() || found.size !== file.size) return 'damaged'
  if ((await sha256Of(path)) !== file.sha256) return 'damaged'
  verified.add(path)
  return 'there'
}

/** The SHA-256 of a file in hexadecimal. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash)
  return hash.digest('hex')
}

/** The files whose content is not kept as it should be, and why; each content once. */
export async function notStored<T extends Content>(
  files: readonly T[],
  store = storeDirectory,
): Promise<{ file: T; state: State }[]> {
  const unique = [...new Map(files.map((file) => [file.sha256, file])).values()]
  const states = await Promise.all(
    unique.map(async (file) => ({ file, state: await stateOf(file, store) })),
  )
  return states.filter(({ state }) => state !== 'there')
}

/** All files below a folder, sorted, with their paths in it. */
export async function filesBelow(folder: string): Promise<{ name: string; file: string }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .map((file) => ({ name: file.slice(folder.length + 1), file }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
