import { readFileSync } from 'node:fs'
import semver from 'semver'
import { type Arch, allArches } from '../facts/platform.js'
import type { Facts } from '../facts/schema.js'
import type { MeasuredRow, SizeRow } from './rows.js'

/** The files with the figures: ours, which `npm run sizes` writes, and the chart of them. */
export const measuredFile = new URL('data/measured.json', import.meta.url)
export const chartFile = new URL('data/chart.svg', import.meta.url)

/** Figures that the original project published, in megabytes: by release, variant and architecture. */
export interface Original {
  source: string
  releases: Record<string, Record<string, Record<Arch, [compressed: number, extracted: number]>>>
}

/** An image on one architecture in every compression that was measured, and the original's in bytes where it has one. */
export interface Figure {
  row: SizeRow
  compressed: Record<string, number>
  original?: { compressed: number; extracted: number }
}

export function loadMeasured(): MeasuredRow[] {
  return JSON.parse(readFileSync(measuredFile, 'utf8')) as MeasuredRow[]
}

export function loadOriginal(): Original {
  return JSON.parse(
    readFileSync(new URL('data/original.json', import.meta.url), 'utf8'),
  ) as Original
}

/** Measured rows with new ones in the place of those of the same image and compression; newest release first. */
export function mergeMeasured(
  earlier: readonly MeasuredRow[],
  rows: readonly MeasuredRow[],
  facts: Facts,
): MeasuredRow[] {
  const key = ({ image, tag, arch, compression }: SizeRow) => [image, tag, arch, compression].join()
  const merged = new Map([...earlier, ...rows].map((row) => [key(row), row]))
  const order = [
    ['base', Object.keys(facts.bases)],
    ['image', Object.keys(facts.images)],
    ['variant', Object.keys(facts.variants)],
    ['arch', allArches],
    // zstd is the default.
    ['compression', ['zstd', 'gzip']],
  ] as const
  const compare = (a: SizeRow, b: SizeRow) =>
    order
      .map(([field, words]: readonly [keyof SizeRow, readonly string[]]) => {
        return words.indexOf(String(a[field])) - words.indexOf(String(b[field]))
      })
      .find(Boolean) ?? 0
  return [...merged.values()].sort(
    (a, b) => semver.rcompare(a.kubernetes, b.kubernetes) || compare(a, b),
  )
}

/** The rows of each image and architecture together, by release and base. */
export function figuresByRelease(
  rows: readonly SizeRow[],
  original: Original,
): Map<string, Figure[]> {
  const figures = new Map<string, Map<string, Figure>>()
  for (const row of rows) {
    const group = `${row.kubernetes}, ${row.base}`
    const images = figures.get(group) ?? new Map<string, Figure>()
    const key = [row.image, row.variant, row.arch].join()
    const figure = images.get(key) ?? { row, compressed: {}, ...originalOf(row, original) }
    figure.compressed[row.compression] = row.compressed
    figures.set(group, images.set(key, figure))
  }
  return new Map([...figures].map(([group, images]) => [group, [...images.values()]]))
}

function originalOf({ image, kubernetes, variant, arch }: SizeRow, original: Original) {
  const found = image === 'kubelet' ? original.releases[kubernetes]?.[variant]?.[arch] : undefined
  if (found === undefined) return {}
  const [compressed, extracted] = found
  return { original: { compressed: compressed * 1e6, extracted: extracted * 1e6 } }
}

/** How an image is called in a table of its release. */
export function labelOf({ image, variant }: SizeRow): string {
  return image === 'kubelet' ? variant : image
}

/** A difference in per cent with its sign: `−55 %`. */
export function difference(ours: number, theirs: number): string {
  const percent = Math.round((ours / theirs - 1) * 100)
  return `${percent < 0 ? '−' : '+'}${Math.abs(percent)} %`
}
