import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PlatformImage, readArchive, unpackLayer } from '../oci/read.js'
import type { SizeRow } from '../sizes/rows.js'

/** An image of two builds on one architecture. */
export interface DigestPair {
  /** IMAGE:TAG. */
  image: string
  arch: string
  before: string
  after: string | undefined
}

/** The digests of images, and those that the same images have in another build. */
export function compareDigests(
  first: readonly SizeRow[],
  second: readonly SizeRow[],
): DigestPair[] {
  const key = ({ image, tag, arch }: SizeRow) => `${image}:${tag} ${arch}`
  const after = new Map(second.map((row) => [key(row), row.digest]))
  return first.map((row) => ({
    image: `${row.image}:${row.tag}`,
    arch: row.arch,
    before: row.digest,
    after: after.get(key(row)),
  }))
}

/** What the layers of two builds do not have alike, as `IMAGE ARCH: /PATH`; only layers that differ are looked into. */
export async function differingFiles(first: string, second: string): Promise<string[]> {
  const archives = (await readdir(first)).filter((name) => name.endsWith('.oci.tar'))
  const lines: string[] = []
  for (const archive of archives) {
    const scratch = mkdtempSync(join(tmpdir(), 'kubelet-images-compare-'))
    try {
      const images = await Promise.all(
        [first, second].map((directory, i) =>
          readArchive(join(directory, archive), join(scratch, String(i))),
        ),
      )
      const [before = [], after = []] = images
      for (const image of before) {
        const other = after.find(({ arch }) => arch === image.arch)
        const paths = other ? await differingPaths(image, other, scratch) : ['the whole image']
        lines.push(...paths.map((path) => `${archive} ${image.arch}: ${path}`))
      }
    } finally {
      rmSync(scratch, { recursive: true, force: true })
    }
  }
  return lines
}

async function differingPaths(
  before: PlatformImage,
  after: PlatformImage,
  scratch: string,
): Promise<string[]> {
  const paths: string[] = []
  for (const [i, layer] of before.layers.entries()) {
    const other = after.layers[i]
    if (other === undefined) return [...paths, `layer ${i} is not in the second build`]
    if (layer.digest === other.digest) continue
    const roots = ['a', 'b'].map((name) => join(scratch, `${before.arch}-${i}-${name}`))
    const [own = '', their = ''] = roots
    await unpackLayer(layer, join(scratch, '0'), own)
    await unpackLayer(other, join(scratch, '1'), their)
    const [ownFiles, theirFiles] = [await describe(own), await describe(their)]
    const names = [...new Set([...ownFiles.keys(), ...theirFiles.keys()])].sort()
    const differing = names.filter((name) => ownFiles.get(name) !== theirFiles.get(name))
    paths.push(...differing.map((name) => `/${name}`))
    if (differing.length === 0) paths.push(`layer ${i}, by its compression or the order of files`)
  }
  const same = JSON.stringify(before.config) === JSON.stringify(after.config)
  return same || paths.length > 0 ? paths : ['its configuration']
}

/** Mode and content of every file below a directory, by path. */
async function describe(root: string): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  for (const path of await readdir(root, { recursive: true })) {
    const file = join(root, path)
    const stats = await lstat(file)
    let content = ''
    if (stats.isSymbolicLink()) content = await readlink(file)
    else if (stats.isFile()) {
      content = createHash('sha256')
        .update(await readFile(file))
        .digest('hex')
    }
    files.set(path, `${stats.mode.toString(8)} ${content}`)
  }
  return files
}
