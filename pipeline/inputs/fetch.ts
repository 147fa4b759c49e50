import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { BuildError } from '../facts/errors.js'
import type { SourceFacts } from '../facts/schema.js'
import { ask, reasonOf, redact } from '../host/http.js'
import { withLock } from '../host/lock.js'
import { describeFile, type LockedFile } from './lock.js'
import { type Place, placesOf } from './places.js'
import { notStored, storeDirectory, storedPath } from './store.js'

// Files at once, and the pauses between tries at one place, in milliseconds.
const parallel = 8
const pauses = [0, 1_000, 4_000]

export interface FetchOptions {
  sources: Pick<SourceFacts, 'places'>
  /** Takes a line of progress. */
  say: (text: string) => void
  store?: string
  environment?: NodeJS.ProcessEnv
}

/**
 * Makes sure that locked files are in the store, with the content that the lock names. Commands that run at once wait for each other.
 * Throws a BuildError of one line for the first file that cannot be had.
 */
export async function fetchInputs(
  files: readonly LockedFile[],
  options: FetchOptions,
): Promise<void> {
  const { say, store = storeDirectory } = options
  if ((await notStored(files, store)).length === 0) return
  await withLock(join(store, 'lock'), async () => {
    const absent = await notStored(files, store)
    for (const { file, state } of absent) {
      if (state === 'damaged') say(`the cached file of ${describeFile(file)} is damaged`)
    }
    if (absent.length === 0) return
    const megabytes = absent.reduce((sum, { file }) => sum + file.size, 0) / 1e6
    say(`inputs: fetching ${absent.length} files, ${megabytes.toFixed(1)} MB`)
    await inParallel(
      absent.map(({ file }) => file),
      (file, signal) => fetchFile(file, store, options, signal),
    )
  })
}

/** Works through a list, several at once. The first failure ends the others and is thrown. */
async function inParallel<T>(
  list: readonly T[],
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const queue = [...list]
  const controller = new AbortController()
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      await work(item, controller.signal)
    }
  }
  const workers = Array.from({ length: parallel }, () =>
    worker().catch((error) => {
      queue.length = 0
      controller.abort()
      throw error
    }),
  )
  const settled = await Promise.allSettled(workers)
  const reasons = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  // What was ended by the first failure says only that it was ended.
  if (reasons.length > 0) throw reasons.find((one) => one instanceof BuildError) ?? reasons[0]
}

/** Another file than the one that is locked. */
class Mismatch extends Error {}

/** A place that has not got the file, and will not have it a moment later. */
class Refusal extends Error {}

/** Fetches one file into the store, from the first place that has it. Throws a BuildError. */
async function fetchFile(
  file: LockedFile,
  store: string,
  { sources, environment = process.env }: FetchOptions,
  signal: AbortSignal,
): Promise<void> {
  const failures: string[] = []
  let differs: string | undefined
  for (const place of placesOf(file, sources, environment)) {
    const name = redact('url' in place ? place.url : place.index)
    const failure = await fromPlace(file, place, store, signal)
    if (failure === undefined) return
    signal.throwIfAborted()
    if (failure instanceof Mismatch) differs ??= `found ${failure.message} at ${name}`
    failures.push(`${name}: ${failure.message}`)
  }
  if (failures.length === 0) {
    throw new BuildError(
      `${describeFile(file)} is not in the cache, and without network none is fetched: name a bundle that has it, made by npm run inputs -- bundle`,
    )
  }
  const remedy =
    'check the network, set DEBIAN_MIRROR or PIP_INDEX_URL to a mirror that has it, or make a new lock by npm run update -- --inputs'
  throw new BuildError(
    differs === undefined
      ? `${describeFile(file)} cannot be fetched (${failures.join('; ')}): ${remedy}`
      : `${describeFile(file)} is not the file that is locked: expected sha256 ${file.sha256} of ${file.size} bytes, ${differs}: ${remedy}`,
  )
}

/** Tries one place several times; gives what was in the way. Throws where another place is no help. */
async function fromPlace(
  file: LockedFile,
  place: Place,
  store: string,
  signal: AbortSignal,
): Promise<Error | undefined> {
  let failure = new Error('not asked')
  for (const pause of pauses) {
    await sleep(pause, undefined, { signal })
    try {
      await download(file, 'url' in place ? place.url : await place.find(), store, signal)
      return undefined
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOSPC' || code === 'EACCES' || code === 'EROFS' || code === 'EDQUOT') {
        throw new BuildError(
          `${store} cannot hold ${describeFile(file)} of ${(file.size / 1e6).toFixed(1)} MB (${code}): free some space, or set XDG_CACHE_HOME to another disk`,
          { cause: error },
        )
      }
      if (error instanceof Mismatch || error instanceof Refusal) return error
      failure = new Error(reasonOf(error), { cause: error })
    }
  }
  return failure
}

/** Downloads a file beside its place in the store, and renames it when it is the right one. */
async function download(
  file: LockedFile,
  url: string,
  store: string,
  signal: AbortSignal,
): Promise<void> {
  const response = await ask(url, { signal })
  if (!response.ok) {
    await response.body?.cancel()
    const again = response.status >= 500 || response.status === 408 || response.status === 429
    throw again ? new Error(`${response.status}`) : new Refusal(`${response.status}`)
  }
  await mkdir(store, { recursive: true })
  const target = storedPath(file, store)
  const partial = `${target}.partial-${process.pid}`
  const hash = createHash('sha256')
  let size = 0
  const measure = new Transform({
    transform(chunk: Buffer, _, done) {
      size += chunk.length
      hash.update(chunk)
      // What is too long is not the file, however long it goes on.
      done(size > file.size ? new Mismatch(`more than ${file.size} bytes`) : null, chunk)
    },
  })
  try {
    if (response.body === null) throw new Error('an empty answer')
    await pipeline(Readable.fromWeb(response.body), measure, createWriteStream(partial), { signal })
    const found = hash.digest('hex')
    if (found !== file.sha256) throw new Mismatch(`sha256 ${found} of ${size} bytes`)
    await rename(partial, target)
  } finally {
    await rm(partial, { force: true })
  }
}
