import { table } from 'table'
import { platformOf } from '../facts/platform.js'
import type { Change } from './comparison.js'
import { megabytes } from './rows.js'
import { type ExplainedFile, type ExplainedImage, largest } from './why.js'

/** Where the bytes of an image are; what is below a hundredth of it is summed up. */
export function whyTable(image: ExplainedImage): string {
  const minimum = image.extracted / 100
  const name = `${image.image}:${image.tag} ${platformOf(image.arch).platform}`
  const total = `${megabytes(image.extracted)} extracted, ${megabytes(image.compressed)} compressed (${image.compression})`
  const rows = image.layers.flatMap((layer) => [
    [
      `${layer.name}, ${megabytes(layer.compressed)} compressed`,
      '',
      '',
      megabytes(layer.extracted),
    ],
    ...fileRows(layer.files, minimum),
  ])
  return `${name}: ${total}\n${grouped(['layer', 'file or package', 'Go module or section', 'extracted'], rows)}`
}

function fileRows(files: readonly ExplainedFile[], minimum: number): string[][] {
  const name = (file: ExplainedFile) => (file.package ? `package ${file.package}` : `/${file.path}`)
  const byName = new Map(files.map((file) => [name(file), file]))
  const sizes = [...byName.keys()].map((one) => {
    const own = files.filter((file) => name(file) === one)
    return { name: one, bytes: own.reduce((sum, { size }) => sum + size, 0) }
  })
  return largest(sizes, minimum).flatMap(({ name, bytes }) => {
    const file = byName.get(name)
    const parts = file?.package ? [] : largest(file?.parts ?? [], bytes / 100)
    return [
      ['', name, file?.note ?? '', megabytes(bytes)],
      ...parts.map((part) => ['', '', part.name, megabytes(part.bytes)]),
    ]
  })
}

/** What two builds differ in. */
export function changeTable(changes: readonly Change[]): string {
  if (changes.length === 0) return 'no difference in size\n'
  const rows = changes.map(({ image, arch, layer, file, before, after }) => [
    image,
    arch,
    layer,
    file === undefined ? '(compressed)' : `/${file}`,
    ...[before, after].map(megabytes),
    `${after > before ? '+' : ''}${after - before}`,
  ])
  return grouped(['image', 'arch', 'layer', 'file', 'before', 'after', 'bytes'], rows)
}

/** A table with a line above every row that begins with something new. */
function grouped(head: string[], rows: readonly string[][]): string {
  const cells = [head, ...rows]
  const drawHorizontalLine = (at: number, count: number) => {
    const first = cells[at]?.[0]
    return at === 0 || at === count || (first !== '' && first !== cells[at - 1]?.[0])
  }
  return table(cells, { drawHorizontalLine })
}
