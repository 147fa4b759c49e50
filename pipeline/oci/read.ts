import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { succeed } from '../host/process.js'
import { blobPath } from './layout.js'

export interface Descriptor {
  digest: string
  mediaType: string
  size: number
  platform?: { architecture: string; variant?: string }
}

/** One platform of an unpacked OCI archive. */
export interface PlatformImage {
  arch: string
  digest: string
  config: { config: { Entrypoint: string[] }; rootfs: { diff_ids: string[] } }
  layers: Descriptor[]
}

/** Unpacks an OCI archive into a folder and reads the images in it, nested index or not. */
export async function readArchive(archive: string, folder: string): Promise<PlatformImage[]> {
  await succeed('mkdir', ['-p', folder])
  await succeed('tar', ['--extract', `--file=${archive}`, `--directory=${folder}`])
  const json = async (digest: string) =>
    JSON.parse(await readFile(blobFile(folder, digest), 'utf8'))
  const index = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8'))
  const entries: Descriptor[] = []
  for (const entry of index.manifests as Descriptor[]) {
    entries.push(
      ...(entry.mediaType.includes('index') ? (await json(entry.digest)).manifests : [entry]),
    )
  }
  return Promise.all(
    entries.map(async ({ digest, platform }) => {
      const manifest = await json(digest)
      const config = await json(manifest.config.digest)
      return { arch: platform?.architecture as string, digest, config, layers: manifest.layers }
    }),
  )
}

/** The file of a blob in an unpacked archive. */
export function blobFile(folder: string, digest: string): string {
  return join(folder, blobPath(digest))
}

/** Unpacks a layer of an unpacked archive over what is in the root. */
export async function unpackLayer(layer: Descriptor, folder: string, root: string): Promise<void> {
  const filter = layer.mediaType.endsWith('zstd') ? '--zstd' : '--gzip'
  await succeed('mkdir', ['-p', root])
  await succeed('tar', [
    '--extract',
    filter,
    '--preserve-permissions',
    `--file=${blobFile(folder, layer.digest)}`,
    `--directory=${root}`,
  ])
}
