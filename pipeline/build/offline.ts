import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { pathToFileURL } from 'node:url'
import { BuildError, messageOf, UserError } from '../facts/errors.js'
import { parseArch } from '../facts/platform.js'
import type { Facts } from '../facts/schema.js'
import { withLock } from '../host/lock.js'
import { cacheDirectory } from '../host/paths.js'
import { run } from '../host/process.js'
import { line } from '../host/progress.js'
import {
  type Bundle,
  bundleFacts,
  bundleFolders,
  parseBundle,
  verifyBundle,
} from '../inputs/bundle.js'
import { lockHash } from '../inputs/lock.js'
import { filesBelow, notStored, sha256Of, storeDirectory, storedPath } from '../inputs/store.js'
import type { BuildRequest } from '../plan/request.js'

const folder = join(cacheDirectory, 'bundle')

/**
 * Makes a build work without network: unpacks the bundle, if one is named, and gives the environment in which the go command asks nobody.
 * Throws a UserError for a file that is no bundle for this request, and a BuildError for one that is damaged.
 */
export async function goOffline(request: BuildRequest): Promise<Record<string, string>> {
  const bundle = request.offline?.bundle
  if (bundle !== undefined) await unpackBundle(bundle, request)
  const modules = join(folder, bundleFolders.go)
  return {
    GOPROXY: existsSync(modules) ? pathToFileURL(modules).href : 'off',
    // go.sum is still checked. The checksum database cannot be asked: it saw these modules when the bundle was made.
    GOSUMDB: 'off',
    // Modules that these name would be fetched from their own servers.
    GOPRIVATE: '',
    GONOPROXY: '',
    DEBIAN_MIRROR: '',
    PIP_INDEX_URL: '',
  }
}

/** The facts for a build that fetches nothing. */
export function withoutPlaces(facts: Facts): Facts {
  const places = { debian: [], 'debian-security': [], pypi: [], pypiIndex: '' }
  return { ...facts, sources: { ...facts.sources, places } }
}

/**
 * Locked files go to the store, Go modules to a folder of the cache, of which there is one. The packages of npm were installed before this
 * program could start.
 */
async function unpackBundle(file: string, request: BuildRequest): Promise<void> {
  const first = await tar(file, ['--to-stdout', '--occurrence=1', bundleFacts])
  if (first.status !== 0) {
    const [reason] = first.stderr.split('\n', 1)
    throw new UserError(
      `--offline ${file} cannot be read (${reason}): name a bundle, made by npm run inputs -- bundle`,
    )
  }
  const facts = parseBundle(first.stdout, file)
  verifyBundle(facts, request, { name: file, lock: lockHash(), host: parseArch(process.arch) })
  const inputs = Object.entries(facts.files)
    .filter(([name]) => name.startsWith(bundleFolders.inputs))
    .map(([, content]) => content)
  await withLock(join(cacheDirectory, 'bundle.lock'), async () => {
    const current = await readFile(join(folder, bundleFacts), 'utf8').catch(() => '')
    if (current === first.stdout && (await notStored(inputs)).length === 0) return
    line(`unpacking ${file}`)
    const partial = `${folder}.partial`
    await rm(partial, { recursive: true, force: true })
    await mkdir(partial, { recursive: true })
    try {
      const wanted = [bundleFacts, bundleFolders.inputs, bundleFolders.go]
      const { status, stderr } = await tar(file, [`--directory=${partial}`, ...wanted])
      if (status !== 0) throw new Error(stderr.split('\n', 1)[0])
      await verifyFiles(partial, facts)
    } catch (error) {
      await rm(partial, { recursive: true, force: true })
      throw new BuildError(`${file} is damaged: ${messageOf(error)}: make or fetch it again`, {
        cause: error,
      })
    }
    await mkdir(storeDirectory, { recursive: true })
    for (const input of inputs) {
      await rename(join(partial, bundleFolders.inputs, input.sha256), storedPath(input))
    }
    await rm(folder, { recursive: true, force: true })
    await rename(partial, folder)
  })
}

function tar(file: string, args: readonly string[]) {
  return run('tar', ['--extract', '--force-local', `--file=${file}`, ...args])
}

/** Throws where the unpacked files are not those of the list. npm's are not unpacked. */
async function verifyFiles(folder: string, { files }: Bundle): Promise<void> {
  const missing = new Set(Object.keys(files).filter((name) => !name.startsWith(bundleFolders.npm)))
  for (const { name, file } of await filesBelow(folder)) {
    if (name === bundleFacts) continue
    const wanted = files[name]
    if (wanted === undefined) throw new Error(`it has ${name}, which is not in its list`)
    const found = await sha256Of(file)
    if (found !== wanted.sha256) throw new Error(`${name} has sha256 ${found}`)
    missing.delete(name)
  }
  for (const name of missing) throw new Error(`it has not got ${name}`)
}
