import { accessSync, constants } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { succeed } from './command.js'

interface Descriptor {
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
  return join(folder, 'blobs', digest.replace(':', '/'))
}

/** Unpacks the layers of an image over each other, as a runtime would. */
export async function unpackRoot(
  image: PlatformImage,
  folder: string,
  root: string,
): Promise<void> {
  await succeed('mkdir', ['-p', root])
  for (const { digest, mediaType } of image.layers) {
    const filter = mediaType.endsWith('zstd') ? '--zstd' : '--gzip'
    const file = blobFile(folder, digest)
    await succeed('tar', [
      '--extract',
      filter,
      '--preserve-permissions',
      `--file=${file}`,
      `--directory=${root}`,
    ])
  }
}

const path = ['usr/local/sbin', 'usr/local/bin', 'usr/sbin', 'usr/bin', 'sbin', 'bin']

/** Where an unpacked root has a program, by its path or in PATH. Links in roots of this project are relative. */
export function findProgram(root: string, program: string): string | undefined {
  const candidates = program.startsWith('/')
    ? [join(root, program)]
    : path.map((folder) => join(root, folder, program))
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
