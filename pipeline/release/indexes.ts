import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readSizes } from '../build/build-images.js'
import { UserError } from '../facts/errors.js'
import { succeed } from '../host/process.js'
import { step } from '../host/progress.js'
import { blobPath } from '../oci/layout.js'
import type { SizeRow } from '../sizes/rows.js'
import type { ReleaseImage } from './plan.js'
import { type Pusher, temporaryFolder } from './push.js'

/** An image of a release as its archive has it. */
export interface ReleaseRow {
  /** HOST/NAMESPACE/IMAGE:TAG. */
  ref: string
  /** Of the index of all platforms. */
  digest: string
  /** Sum of the blobs. */
  bytes: number
  /** What the build noted of it in sizes.json. */
  sizes: SizeRow[]
  /** What became of the tag: `new`, `unchanged` or the digest that it named before; left out where it was not moved. */
  tag?: string
}

/** What would be pushed of the archives in a directory. */
export async function describeImages(
  images: readonly ReleaseImage[],
  output: string,
): Promise<ReleaseRow[]> {
  const rows: ReleaseRow[] = []
  for (const image of images) {
    rows.push(await withLayout(image, output, (layout) => readRow(image, layout, output)))
  }
  return rows
}

/** Pushes the archives in a directory without their tags, and notes there what was pushed. Throws a BuildError. */
export async function pushImages(
  pusher: Pusher,
  images: readonly ReleaseImage[],
  output: string,
): Promise<ReleaseRow[]> {
  const rows: ReleaseRow[] = []
  for (const image of images) {
    const push = async (layout: string) => {
      const row = await readRow(image, layout, output)
      await pusher.pushImage(image.repository, row.digest, layout)
      return row
    }
    const row = await step(`push ${refOf(image)}`, () => withLayout(image, output, push))
    await writeFile(noteFile(image, output), `${JSON.stringify(row, null, 2)}\n`)
    rows.push(row)
  }
  return rows
}

/** What shards have noted in a directory. Throws a UserError that names the first image without a note. */
export async function readNotes(
  images: readonly ReleaseImage[],
  output: string,
): Promise<ReleaseRow[]> {
  const rows: ReleaseRow[] = []
  for (const image of images) {
    const file = noteFile(image, output)
    const text = await readFile(file, 'utf8').catch((error) => {
      const remedy = 'run every --shard first, and bring their notes to one --output'
      throw new UserError(`there is no ${file}: ${remedy}`, { cause: error })
    })
    const row = JSON.parse(text) as ReleaseRow
    if (row.ref !== refOf(image)) {
      throw new UserError(`${file} is about ${row.ref}: name the --registry of the shards`)
    }
    rows.push(row)
  }
  return rows
}

/** Moves the tags of images that were pushed: all of them, or none and a BuildError. */
export async function moveTags(pusher: Pusher, rows: readonly ReleaseRow[]): Promise<ReleaseRow[]> {
  const targets = rows.map(({ ref, digest }) => `${ref}@${digest}`)
  const moved = await step(`move ${rows.length} tags`, () => pusher.moveTags(targets))
  return rows.map((row, i) => {
    const before = moved[i]?.before ?? 'new'
    return { ...row, tag: before === row.digest ? 'unchanged' : before }
  })
}

function refOf({ repository, spec }: ReleaseImage): string {
  return `${repository}:${spec.tag}`
}

function noteFile({ spec }: ReleaseImage, output: string): string {
  return join(output, spec.archive.replace(/\.oci\.tar$/, '.pushed.json'))
}

/** Unpacks the archive of an image for as long as `work` needs it. */
async function withLayout<T>(
  { spec }: ReleaseImage,
  output: string,
  work: (layout: string) => Promise<T>,
): Promise<T> {
  const layout = await mkdtemp(join(temporaryFolder(), 'layout-'))
  try {
    const archive = join(output, spec.archive)
    await succeed('tar', ['--extract', `--file=${archive}`, `--directory=${layout}`])
    return await work(layout)
  } finally {
    await rm(layout, { recursive: true })
  }
}

async function readRow(image: ReleaseImage, layout: string, output: string): Promise<ReleaseRow> {
  const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8'))
  const blobs = join(layout, blobPath('sha256:'))
  const files = (await readdir(blobs)).map((name) => stat(join(blobs, name)))
  const bytes = (await Promise.all(files)).reduce((sum, { size }) => sum + size, 0)
  const { spec } = image
  const sizes = (await readSizes(output)).filter(
    (row) => row.image === spec.image && row.tag === spec.tag,
  )
  return { ref: refOf(image), digest: index.manifests[0].digest, bytes, sizes }
}
