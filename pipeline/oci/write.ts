import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import type { Arch } from '../facts/platform.js'
import { blobPath, type ImageContent, type Layout, layoutImage } from './layout.js'
import { writeTar } from './tar.js'

/** Writes an image layout as a tar archive. `layers` maps the digest of each layer blob to the file that holds it. */
export async function writeArchive(
  target: string,
  layout: Layout,
  layers: ReadonlyMap<string, string>,
): Promise<void> {
  await writeTar(target, [
    ...Object.entries(layout.files).map(([name, content]) => ({ name, content })),
    ...layout.blobs.map(({ digest, content }) => ({ name: blobPath(digest), content })),
    ...[...layers].map(([digest, file]) => ({ name: blobPath(digest), file })),
  ])
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
