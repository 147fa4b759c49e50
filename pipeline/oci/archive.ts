import { createReadStream, createWriteStream } from 'node:fs'
import { rename, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import tar from 'tar-stream'
import { blobPath, type Layout } from './layout.js'

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
