import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import tar from 'tar-stream'
import { UserError } from '../facts/errors.js'
import type { Facts } from '../facts/schema.js'
import { start } from '../host/process.js'
import { blobFile, type Descriptor, type PlatformImage, readArchive } from '../oci/read.js'
import { planImages } from '../plan/images.js'
import { makeBuildRequest } from '../plan/request.js'
import { type ImageSpec, layerNames } from '../plan/spec.js'
import type { FileSize, ImageContent } from './comparison.js'
import type { SizeRow } from './rows.js'

/** The rows of a directory that `npm run build` wrote, or of one archive in it. Throws a UserError. */
export async function readRows(path: string): Promise<SizeRow[]> {
  const directory = isArchive(path) ? dirname(path) : path
  const file = join(directory, 'sizes.json')
  if (!existsSync(file)) {
    throw new UserError(`${file} is not there: name a directory that npm run build wrote`)
  }
  const rows = JSON.parse(await readFile(file, 'utf8')) as SizeRow[]
  if (directory === path) return rows
  const own = rows.filter((row) => archiveOf(row) === basename(path))
  if (own.length === 0) throw new UserError(`${file} does not tell of ${basename(path)}`)
  return own
}

/** Whether a path is that of an archive, not of a directory. */
export function isArchive(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

/** The images of a directory, or of one archive in it, with every file in them. Throws a UserError. */
export async function readImages(path: string, facts: Facts): Promise<ImageContent[]> {
  const directory = isArchive(path) ? dirname(path) : path
  const images: ImageContent[] = []
  const rows = await readRows(path)
  for (const archive of new Set(rows.map(archiveOf))) {
    const own = rows.filter((row) => archiveOf(row) === archive)
    images.push(
      ...(await withArchive(directory, archive, (platforms, folder) =>
        Promise.all(own.map((row) => readImage(row, platformImage(row, platforms), folder, facts))),
      )),
    )
  }
  return images
}

/** Lends an unpacked archive to `use`. */
export async function withArchive<T>(
  directory: string,
  archive: string,
  use: (platforms: PlatformImage[], folder: string) => Promise<T>,
): Promise<T> {
  const file = join(directory, archive)
  if (!existsSync(file)) throw new UserError(`${file} is not there: build it again`)
  const folder = mkdtempSync(join(tmpdir(), 'kubelet-images-sizes-'))
  const clean = () => rmSync(folder, { recursive: true, force: true })
  // Interrupted too.
  process.once('exit', clean)
  try {
    return await use(await readArchive(file, folder), folder)
  } finally {
    process.off('exit', clean)
    clean()
  }
}

/** What an unpacked archive has of a row. Throws a UserError where it is not what was built with the row. */
export function platformImage(row: SizeRow, platforms: readonly PlatformImage[]): PlatformImage {
  const platform = platforms.find(({ digest }) => digest === row.digest)
  if (platform === undefined) {
    throw new UserError(`${archiveOf(row)} is not what sizes.json tells of: build it again`)
  }
  return platform
}

/** The files in an image of an unpacked archive. */
export async function readImage(
  row: SizeRow,
  platform: PlatformImage,
  folder: string,
  facts: Facts,
): Promise<ImageContent> {
  const names = layerNames(specOf(row, facts))
  const layers = platform.layers.map(async (layer, i) => {
    const files = await filesOf(layer, folder)
    const extracted = files.reduce((sum, { size }) => sum + size, 0)
    return { name: names[i] as string, compressed: layer.size, extracted, files }
  })
  return { ...row, layers: await Promise.all(layers) }
}

export function archiveOf({ image, tag }: SizeRow): string {
  return `${image}-${tag}.oci.tar`
}

function specOf({ kubernetes, image, variant, base }: SizeRow, facts: Facts): ImageSpec {
  const values = { k8s: kubernetes, image: [image], variant: [variant], base: [base] }
  const [spec] = planImages(makeBuildRequest(values, facts), facts)
  return spec as ImageSpec
}

async function filesOf({ mediaType, digest }: Descriptor, folder: string): Promise<FileSize[]> {
  const program = mediaType.endsWith('zstd') ? 'zstd' : 'gzip'
  const args = ['--decompress', '--stdout', blobFile(folder, digest)]
  const { stdout } = start(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const entries = tar.extract()
  const files: FileSize[] = []
  const read = async () => {
    for await (const entry of entries) {
      const { type, name, size = 0 } = entry.header
      if (type === 'file') files.push({ path: name, size })
      entry.resume()
    }
  }
  // A blob that is cut short ends in the middle of an entry, which the tar reader refuses.
  await Promise.all([pipeline(stdout as Readable, entries), read()])
  return files
}
