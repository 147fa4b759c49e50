import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client } from '@dagger.io/dagger'
import { networkOf } from '../engine/network.js'
import { type Arch, parseArch } from '../facts/platform.js'
import type { Facts } from '../facts/schema.js'
import { type Builder, builderRoot } from '../graph/builder.js'
import { withLock } from '../host/lock.js'
import { cacheDirectory } from '../host/paths.js'
import { line } from '../host/progress.js'
import { requirePrograms } from '../host/tools.js'
import { writeLayer } from '../inputs/debs.js'
import { fetchInputs } from '../inputs/fetch.js'
import { filesFor, type Lock, type LockedFile, loadLock, purposes } from '../inputs/lock.js'
import { storeDirectory, storedPath } from '../inputs/store.js'
import { writeTarImage } from '../oci/write.js'

// Changes with what writeLayer makes of the same packages.
const format = 1

/** What a build needs of the lock beside the builder's root, on a machine of an architecture. */
export type Wanted = (host: Arch) => readonly string[]

/** Fetches what a build needs, before an engine is started for it. Throws a BuildError, or a UserError for a wrong lock. */
export async function prepareInputs({ sources }: Facts, wanted: Wanted = () => []): Promise<void> {
  await fetchFor(loadLock(), parseArch(process.arch), sources, wanted)
}

/**
 * What steps stand on. The root is made here of the locked packages of the machine that the engine runs on, and kept in the cache
 * directory. Throws a BuildError.
 */
export async function prepareBuilder(
  client: Client,
  { sources }: Facts,
  wanted: Wanted = () => [],
): Promise<Builder> {
  const lock = loadLock()
  const host = parseArch(await client.defaultPlatform())
  const root = filesFor(lock, [purposes.builder(host)])
  // Prepared already, but for an engine on a machine of another kind.
  await fetchFor(lock, host, sources, wanted)
  return {
    client,
    root: builderRoot(client, await rootArchive(root, host)),
    host,
    lock,
    store: storeDirectory,
    network: networkOf(process.env).network,
  }
}

async function fetchFor(lock: Lock, host: Arch, sources: Facts['sources'], wanted: Wanted) {
  const files = filesFor(lock, [purposes.builder(host), ...wanted(host)])
  await fetchInputs(files, { sources, say: line })
}

/** The archive of an image with the contents of these packages; earlier ones are removed. */
async function rootArchive(packages: readonly LockedFile[], host: Arch): Promise<string> {
  const sums = packages.map(({ sha256 }) => sha256)
  const key = createHash('sha256')
    .update(JSON.stringify([format, host, sums]))
    .digest('hex')
  const directory = join(cacheDirectory, 'builder')
  const archive = join(directory, `${key.slice(0, 16)}.oci.tar`)
  if (existsSync(archive)) return archive
  await withLock(join(directory, 'lock'), async () => {
    if (existsSync(archive)) return
    line(`making the builder's root of ${packages.length} Debian packages (once)`)
    await requirePrograms({ xz: 'xz-utils' })
    for (const name of await readdir(directory)) {
      if (name !== 'lock') await rm(join(directory, name), { recursive: true })
    }
    const layer = `${archive}.layer`
    await writeLayer(
      packages.map((file) => storedPath(file)),
      layer,
    )
    await writeTarImage(
      archive,
      { ref: `localhost/builder:${key.slice(0, 16)}`, entrypoint: [] },
      host,
      layer,
    )
    await rm(layer)
  })
  return archive
}
