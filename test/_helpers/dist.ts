import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ImageContent, type LayerFacts, layoutImage } from '../../pipeline/oci/layout.js'
import { writeArchive } from '../../pipeline/oci/write.js'
import type { LayeredRow, SizeRow } from '../../pipeline/sizes/rows.js'
import { succeed } from './command.js'

/** The row of a kubelet image, with what a test is about in place. */
export function sizeRow(differing: Partial<SizeRow> = {}): SizeRow {
  const row: SizeRow = {
    image: 'kubelet',
    tag: '',
    kubernetes: 'v1.24.0',
    base: 'static',
    variant: 'base',
    arch: 'amd64',
    compression: 'zstd',
    compressed: 10_000_000,
    extracted: 40_000_000,
    digest: 'sha256:0',
    ...differing,
  }
  const words = [row.kubernetes, ...(row.variant === 'base' ? [] : [row.variant]), row.base]
  return { ...row, tag: row.tag || words.join('-') }
}

/** The same with a base of one and four megabytes, and the rest in one more layer. */
export function layeredRow(differing: Partial<SizeRow> = {}): LayeredRow {
  const row = sizeRow(differing)
  const base = { name: 'static base', compressed: 1_000_000, extracted: 4_000_000 }
  const kubelet = {
    name: 'kubelet',
    compressed: row.compressed - base.compressed,
    extracted: row.extracted - base.extracted,
  }
  return { ...row, layers: [base, kubelet] }
}

/** Writes what `npm run build` leaves of an image for one architecture, as gzip: a layer for each root. */
export async function writeDist(directory: string, roots: readonly string[]): Promise<SizeRow> {
  await mkdir(directory, { recursive: true })
  const layers: LayerFacts[] = []
  const files = new Map<string, string>()
  for (const [i, root] of roots.entries()) {
    const file = join(directory, `.layer-${i}`)
    await succeed('tar', [
      '--create',
      '--gzip',
      `--file=${file}`,
      `--directory=${root}`,
      ...(await readdir(root)),
    ])
    const content = await readFile(file)
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`
    layers.push({ diffId: digest, digest, size: content.length, extracted: 0 })
    files.set(digest, file)
  }
  const image: ImageContent = {
    ref: 'localhost/test:1',
    entrypoint: [],
    labels: {},
    compression: 'gzip',
  }
  const layout = layoutImage(image, new Map([['amd64', layers]]))
  const digest = layout.manifests.get('amd64') as string
  const row = sizeRow({ compression: 'gzip', extracted: 2_000_000, digest })
  await writeArchive(join(directory, `${row.image}-${row.tag}.oci.tar`), layout, files)
  await writeFile(join(directory, 'sizes.json'), JSON.stringify([row]))
  return row
}
