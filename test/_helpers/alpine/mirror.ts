import { createHash, generateKeyPairSync } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Arch, platformOf } from '../../../pipeline/facts/platform.js'
import { cacheDirectory } from '../../../pipeline/host/paths.js'
import { fileName, makeIndex, packageFile } from './apk.js'
import { extractAlpine, quicksand } from './disk.js'
import { packStaticRoot, repackInstalled } from './packages.js'

/** Changes with the fixtures' code, so that what an earlier one made is made again. */
const version = 2
const release = 'v3.23'
const keyName = 'kubelet-images-test.rsa.pub'

/** A mirror on disk. */
export interface MirrorFolder {
  folder: string
  /** The public key that its indexes are signed with. */
  key: string
}

/**
 * A mirror with a real Alpine 3.23 and stand-ins for what it lacks, from the static roots by architecture.
 * It is kept in the cache directory; `content` says what is in the static roots.
 */
export async function makeMirror(
  roots: ReadonlyMap<Arch, string>,
  content: string,
): Promise<MirrorFolder> {
  const hash = createHash('sha256').update([version, quicksand, content].join('\n')).digest('hex')
  const folder = join(cacheDirectory, 'test', `alpine-mirror-${hash.slice(0, 12)}`)
  if (!existsSync(folder)) {
    await rm(join(cacheDirectory, 'test'), { recursive: true, force: true })
    const partial = `${folder}.partial`
    await mkdir(partial, { recursive: true })
    const { publicKey, privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    })
    await writeFile(join(partial, keyName), publicKey)
    for (const [arch, root] of roots) await fillMirror(partial, arch, root, privateKey)
    await rename(partial, folder)
  }
  return { folder, key: join(folder, keyName) }
}

async function fillMirror(folder: string, arch: Arch, staticRoot: string, privateKey: string) {
  const { alpine } = platformOf(arch)
  const root = await extractAlpine(arch, folder)
  const packages = [...(await repackInstalled(root)), ...(await packStaticRoot(staticRoot, alpine))]
  await rm(root, { recursive: true })
  for (const [repository, content] of Object.entries({ main: packages, community: [] })) {
    const place = join(folder, release, repository, alpine)
    await mkdir(place, { recursive: true })
    for (const one of content) await writeFile(join(place, fileName(one)), packageFile(one))
    const index = await makeIndex(content, { name: keyName, privateKey })
    await writeFile(join(place, 'APKINDEX.tar.gz'), index)
  }
}

/** A mirror on loopback. */
export interface Mirror {
  folder: string
  url: string
  /** What is served instead of the files of these paths. */
  replaced: Map<string, Buffer>
  /** Paths of what was downloaded. */
  asked: string[]
  close(): Promise<void>
}

const login = 'user:s3cret'

/** Serves a mirror on a free port of 127.0.0.1, to whoever has the password in its URL. */
export async function serveMirror(folder: string): Promise<Mirror> {
  const replaced = new Map<string, Buffer>()
  const asked: string[] = []
  const server = createServer(async (request, response) => {
    if (request.headers.authorization !== `Basic ${btoa(login)}`) {
      return response.writeHead(401, { 'www-authenticate': 'Basic' }).end()
    }
    const path = new URL(request.url ?? '/', 'http://mirror').pathname
    if (request.method === 'GET') asked.push(path)
    const file = join(folder, path)
    const found = await stat(file).catch(() => undefined)
    if (!found?.isFile()) return response.writeHead(404).end()
    const content = replaced.get(path) ?? (await readFile(file))
    const etag = createHash('sha1').update(content).digest('hex')
    response.writeHead(200, { etag: `"${etag}"`, 'content-length': content.length })
    response.end(request.method === 'HEAD' ? undefined : content)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { folder, url: `http://${login}@127.0.0.1:${port}`, replaced, asked, close }
}
