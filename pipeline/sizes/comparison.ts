import type { Arch } from '../facts/platform.js'
import type { LayerSize, SizeRow } from './rows.js'

/** A regular file of a layer by its path, without the leading slash, and its size in bytes. */
export interface FileSize {
  path: string
  size: number
}

/** A layer and what is in it. */
export interface LayerContent extends LayerSize {
  files: FileSize[]
}

/** A row with everything that the archive holds. */
export interface ImageContent extends SizeRow {
  layers: LayerContent[]
}

/** Something that is not of the same size in two builds; bytes, 0 where it is not there. */
export interface Change {
  image: string
  arch: Arch
  layer: string
  /** Path of a file, or nothing for the layer as it is compressed. */
  file?: string
  before: number
  after: number
}

/** What two builds differ in, by the bytes that it changed. Pure. Images with the same key are compared. */
export function compareBuilds(
  before: readonly ImageContent[],
  after: readonly ImageContent[],
  key: (row: SizeRow) => string = ({ image, tag, arch }) => `${image}:${tag} ${arch}`,
): Change[] {
  const changes = new Map<string, Change>()
  const add = (image: ImageContent, side: 'before' | 'after') => {
    for (const { bytes, ...part } of partsOf(image)) {
      // A file is in one layer of an image only, but perhaps in another one after the change.
      const id = JSON.stringify([key(image), part.file ?? { layer: part.layer }])
      const change = changes.get(id) ?? { ...part, before: 0, after: 0 }
      changes.set(id, { ...change, ...part, [side]: bytes })
    }
  }
  for (const image of before) add(image, 'before')
  for (const image of after) add(image, 'after')
  return [...changes.values()]
    .filter((change) => change.before !== change.after)
    .sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before))
}

function partsOf({ image, tag, arch, layers }: ImageContent) {
  return layers.flatMap(({ name, compressed, files }) => {
    const place: Pick<Change, 'image' | 'arch' | 'layer' | 'file'> = {
      image: `${image}:${tag}`,
      arch,
      layer: name,
    }
    return [
      { ...place, bytes: compressed },
      ...files.map(({ path, size }) => ({ ...place, file: path, bytes: size })),
    ]
  })
}
