import { platformOf } from '../facts/platform.js'
import { difference, type Figure, figuresByRelease, labelOf, type Original } from './figures.js'
import type { SizeRow } from './rows.js'

const start = '<!-- npm run sizes writes what follows -->'
const end = '<!-- npm run sizes wrote this -->'

interface Column {
  title: string
  cell(figure: Figure): string
}

const columns: readonly Column[] = [
  { title: 'zstd', cell: (figure) => compressed(figure, 'zstd') },
  { title: 'gzip', cell: (figure) => compressed(figure, 'gzip') },
  { title: 'the original, gzip', cell: ({ original }) => number(original?.compressed) },
  {
    title: 'extracted',
    cell: ({ row, original }) => compared(row.extracted, original?.extracted),
  },
  { title: 'the original', cell: ({ original }) => number(original?.extracted) },
]

/** The tables of the README, one for each release and base, in megabytes of 10^6 bytes. */
export function sizeMatrix(rows: readonly SizeRow[], original: Original): string {
  const tables = [...figuresByRelease(rows, original)].map(([group, figures]) =>
    table(group, figures),
  )
  return tables.join('\n')
}

/** The README with the matrix between its markers. Throws an Error where it has none. */
export function withMatrix(readme: string, matrix: string): string {
  const from = readme.indexOf(start)
  const to = readme.indexOf(end)
  if (from < 0 || to < from) throw new Error(`README.md: no lines "${start}" and "${end}"`)
  return `${readme.slice(0, from)}${start}\n\n${matrix}\n${readme.slice(to)}`
}

function table(group: string, figures: readonly Figure[]): string {
  // A column that nothing was measured for is left out.
  const used = columns.filter(({ cell }) => figures.some((figure) => cell(figure) !== ''))
  const lines = figures.map((figure, i) => {
    const label = labelOf(figure.row)
    const repeated = i > 0 && label === labelOf((figures[i - 1] as Figure).row)
    const arch = platformOf(figure.row.arch).platform.replace('linux/', '')
    return [repeated ? '' : label, arch, ...used.map(({ cell }) => cell(figure))]
  })
  const head = [group, '', ...used.map(({ title }) => title)]
  const rule = head.map((_, i) => (i < 2 ? '---' : '--:'))
  return [head, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

function compressed({ compressed, original }: Figure, compression: string): string {
  return compared(compressed[compression], original?.compressed)
}

function compared(ours: number | undefined, theirs: number | undefined): string {
  if (ours === undefined || theirs === undefined) return number(ours)
  return `${number(ours)} (${difference(ours, theirs)})`
}

function number(bytes: number | undefined): string {
  return bytes === undefined ? '' : (bytes / 1e6).toFixed(2)
}
