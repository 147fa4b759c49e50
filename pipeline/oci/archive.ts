import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { rename, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import tar from 'tar-stream'
import type { Arch } from '../platform.js'
import { blobPath, type ImageContent, type Layout, layoutImage } from './layout.js'

/**
 * Writes an image layout as a tar archive: beside the target first, then renamed over it.
 * `layers` maps the digest of each layer blob to the file that holds it.
 */
export async function writeArchive(
  target: string,
  layout: Layout,
  layers: ReadonlyMap<string, string>,
): Promise<void> {
  const partial = `${target}.partial`
  const pack = tar.pack()
  const written = pipeline(pack, createWriteStream(partial))
  const fill = async () => {
    for (const [name, content] of Object.entries(layout.files)) await addEntry(pack, name, content)
    for (const { digest, content } of layout.blobs) await addEntry(pack, blobPath(digest), content)
    for (const [digest, file] of layers) await addFile(pack, blobPath(digest), file)
    pack.finalize()
  }
  await Promise.all([written, fill()])
  await rename(partial, target)
}

/** Wraps an uncompressed tar of a root file system as the archive of an image for one architecture. */
export async function writeTarImage(
  target: string,
  image: Pick<ImageContent, 'ref' | 'entrypoint'>,
  arch: Arch,
  layer: string,
): Promise<void> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(layer), hash)
  const digest = `sha256:${hash.digest('hex')}`
  const { size } = await stat(layer)
  const layout = layoutImage(
    { ...image, labels: {}, compression: 'none' },
    new Map([[arch, [{ diffId: digest, digest, size, extracted: size }]]]),
  )
  await writeArchive(target, layout, new Map([[digest, layer]]))
}

// A fixed time, so that the same layout is the same archive.
const header = (name: string) => ({ name, mode: 0o644, mtime: new Date(0) })

function addEntry(pack: tar.Pack, name: string, content: string | Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    pack.entry(header(name), content, (error) => (error ? reject(error) : resolve()))
  })
}

async function addFile(pack: tar.Pack, name: string, file: string): Promise<void> {
  const { size } = await stat(file)
  await pipeline(createReadStream(file), pack.entry({ ...header(name), size }))
}
