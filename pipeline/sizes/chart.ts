import { platformOf } from '../facts/platform.js'
import { type Figure, figuresByRelease, labelOf, type Original } from './figures.js'
import type { SizeRow } from './rows.js'

// Each stands out from white as from the black of dark pages, because an image in a page knows nothing of its colours.
const colours = { text: '#797979', ours: '#3b82d6', original: '#8f8f8f' }

const names = 165
const panel = { width: 330, gap: 20, scale: 250 }
const row = { height: 32, bar: 12 }
const top = 60
const panels = [
  {
    title: 'compressed',
    legend: ['this project, zstd', 'the original, gzip'],
    bytes: ({ compressed }: Figure) => compressed.zstd ?? 0,
  },
  {
    title: 'extracted',
    legend: ['this project', 'the original'],
    bytes: ({ row }: Figure) => row.extracted,
  },
] as const

/** A bar chart (SVG) of our images, as zstd, beside the original's, as gzip, for every release that both have. */
export function sizeChart(rows: readonly SizeRow[], original: Original): string {
  const groups = [...figuresByRelease(rows, original)].map(([group, figures]) => ({
    group,
    figures: figures.filter(
      ({ original, compressed }) => original && compressed.zstd !== undefined,
    ),
  }))
  const drawn = groups.filter(({ figures }) => figures.length > 0)
  let y = 0
  const charts = drawn.map(({ group, figures }) => {
    const chart = `<g transform="translate(0 ${y})">\n${draw(group, figures)}</g>\n`
    y += top + figures.length * row.height
    return chart
  })
  const width = names + panels.length * (panel.width + panel.gap)
  const style = `fill="${colours.text}" font-family="sans-serif" font-size="14"`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y + 10}" ${style}>\n`,
    '<title>Sizes of the kubelet images of this project and of the original</title>\n',
    ...charts,
    '</svg>\n',
  ].join('')
}

function draw(group: string, figures: readonly Figure[]): string {
  const lines = figures.map(({ row: image }, i) => {
    const name = `${labelOf(image)} ${platformOf(image.arch).platform.replace('linux/', '')}`
    return text(0, top + i * row.height + row.bar + 5, name)
  })
  const bars = panels.map((one, i) =>
    drawPanel(one, names + i * (panel.width + panel.gap), figures),
  )
  return [text(0, 24, group), ...lines, ...bars].join('')
}

function drawPanel(
  { title, legend, bytes }: (typeof panels)[number],
  left: number,
  figures: readonly Figure[],
): string {
  const originalBytes = ({ original }: Figure) => original?.[title] ?? 0
  const longest = Math.max(...figures.map(originalBytes))
  const bar = (y: number, size: number, colour: string) => {
    const length = Number(((size / longest) * panel.scale).toFixed(1))
    const label = text(left + length + 5, y + row.bar - 1, (size / 1e6).toFixed(1))
    return rectangle(left, y, length, colour) + label
  }
  const key = (x: number, colour: string, name: string) =>
    rectangle(x, 32, row.bar, colour) + text(x + 18, 43, name)
  const bars = figures.map((figure, i) => {
    const y = top + i * row.height
    const ours = bar(y, bytes(figure), colours.ours)
    return ours + bar(y + row.bar + 1, originalBytes(figure), colours.original)
  })
  const heading = text(left, 24, `${title}, MB`)
  const keys = key(left, colours.ours, legend[0]) + key(left + 150, colours.original, legend[1])
  return [heading, keys, ...bars].join('')
}

function rectangle(x: number, y: number, width: number, colour: string): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${row.bar}" fill="${colour}"/>\n`
}

function text(x: number, y: number, content: string): string {
  return `<text x="${x}" y="${y}">${content}</text>\n`
}
