import type { Arch } from '../facts/platform.js'
import type { LayerFacts } from '../oci/layout.js'
import { type ImageSpec, layerNames } from '../plan/spec.js'

/** A row of sizes.json: one image on one architecture, sizes in bytes. */
export interface SizeRow {
  image: string
  tag: string
  kubernetes: string
  base: string
  variant: string
  arch: Arch
  compression: string
  /** Sum of the layer blobs. */
  compressed: number
  /** Sum of the regular file sizes in the root file system. */
  extracted: number
  /** Digest of the platform's manifest. */
  digest: string
}

/** A layer of an image by the name of what is in it, sizes in bytes. */
export interface LayerSize {
  name: string
  compressed: number
  extracted: number
}

/** A row with its layers, lowest first. */
export interface LayeredRow extends SizeRow {
  layers: LayerSize[]
}

/** What was measured of an image, and what it was built from. */
export interface MeasuredRow extends LayeredRow {
  /** SHA-256 of inputs.lock.json; none in rows that are older than it. */
  lock?: string
}

/** The row for one architecture of an image. */
export function sizeRow(
  spec: ImageSpec,
  arch: Arch,
  layers: readonly LayerFacts[],
  digest: string,
): SizeRow {
  const { image, tag, kubernetes, base, variant, compression } = spec
  const compressed = layers.reduce((sum, layer) => sum + layer.size, 0)
  // No layer replaces a file of another one, so the sum is that of the flattened root.
  const extracted = layers.reduce((sum, layer) => sum + layer.extracted, 0)
  return { image, tag, kubernetes, base, variant, arch, compression, compressed, extracted, digest }
}

/** The layers of an image on one architecture with their names. */
export function layerSizes(spec: ImageSpec, layers: readonly LayerFacts[]): LayerSize[] {
  const names = layerNames(spec)
  return layers.map(({ size, extracted }, i) => ({
    name: names[i] as string,
    compressed: size,
    extracted,
  }))
}

/** Earlier rows with those of newly built archives in place: an archive holds what was built last. */
export function mergeSizes(earlier: readonly SizeRow[], built: readonly SizeRow[]): SizeRow[] {
  const key = ({ image, tag }: SizeRow) => `${image}:${tag}`
  const replaced = new Set(built.map(key))
  return [...earlier.filter((row) => !replaced.has(key(row))), ...built]
}

/** Bytes as megabytes of 10^6: `11.24 MB`. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`
}
