import type { Original } from '../sizes/figures.js'
import { sizeMatrix } from '../sizes/matrix.js'
import type { SizeRow } from '../sizes/rows.js'

/** What the notes of a release tell of an image. */
export interface NotedImage {
  /** HOST/NAMESPACE/IMAGE:TAG. */
  ref: string
  /** Of the index of all platforms. */
  digest: string
  sizes: readonly SizeRow[]
}

/** The notes of a release in Markdown: every image by its digest, and the sizes beside the original's. Pure. */
export function releaseNotes(images: readonly NotedImage[], original: Original): string {
  const rows = images.map(({ ref, digest }) => `| \`${ref}\` | \`${digest}\` |\n`)
  const sizes = images.flatMap(({ sizes }) => sizes)
  return `| image | digest of all platforms |
| --- | --- |
${rows.join('')}
In MB of 10^6 bytes: the sum of the layer blobs, and of the files when extracted. The original is the image of the project from
which this one descends.

${sizeMatrix(sizes, original)}`
}
