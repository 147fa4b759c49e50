import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { loadFacts } from '../../../pipeline/facts/load.js'
import { publishedImages } from '../../../pipeline/facts/published.js'
import { sizeChart } from '../../../pipeline/sizes/chart.js'
import {
  chartFile,
  difference,
  loadMeasured,
  loadOriginal,
  mergeMeasured,
} from '../../../pipeline/sizes/figures.js'
import { sizeMatrix, withMatrix } from '../../../pipeline/sizes/matrix.js'
import { project } from '../../_helpers/command.js'
import { layeredRow } from '../../_helpers/dist.js'

const facts = loadFacts()
const measured = loadMeasured()
const original = loadOriginal()

const hint = 'run npm run sizes'
const readme = readFileSync(join(project, 'README.md'), 'utf8')

test('the README shows the measured sizes', (t) => {
  t.is(withMatrix(readme, sizeMatrix(measured, original)), readme, hint)
})

test('the chart shows the measured sizes', (t) => {
  t.is(sizeChart(measured, original), readFileSync(chartFile, 'utf8'), hint)
})

test('every image of v1.24.0 and v1.36.4 was measured on every architecture, with its layers', (t) => {
  for (const release of ['v1.24.0', 'v1.36.4']) {
    for (const [variant, { images }] of Object.entries(facts.variants)) {
      for (const image of publishedImages(facts).filter((one) => one in images)) {
        const rows = measured.filter(
          (row) =>
            row.kubernetes === release &&
            row.image === image &&
            row.variant === variant &&
            row.compression === 'zstd',
        )
        t.deepEqual(
          rows.map(({ arch }) => arch),
          ['amd64', 'arm64', 'arm'],
        )
      }
    }
  }
  for (const { digest, layers, compressed, extracted } of measured) {
    t.regex(digest, /^sha256:[0-9a-f]{64}$/)
    t.is(
      layers.reduce((sum, layer) => sum + layer.compressed, 0),
      compressed,
    )
    t.is(
      layers.reduce((sum, layer) => sum + layer.extracted, 0),
      extracted,
    )
  }
})

test('measured again replaces the same image and compression; newest release first', (t) => {
  const rows = [
    layeredRow({ kubernetes: 'v1.9.0' }),
    layeredRow({ arch: 'arm' }),
    layeredRow({ compression: 'gzip' }),
    layeredRow(),
    layeredRow({ kubernetes: 'v1.36.4' }),
  ]
  const merged = mergeMeasured(rows, [layeredRow({ digest: 'sha256:1' })], facts)
  t.deepEqual(
    merged.map(({ kubernetes, arch, compression, digest }) => [
      kubernetes,
      arch,
      compression,
      digest,
    ]),
    [
      ['v1.36.4', 'amd64', 'zstd', 'sha256:0'],
      ['v1.24.0', 'amd64', 'zstd', 'sha256:1'],
      ['v1.24.0', 'amd64', 'gzip', 'sha256:0'],
      ['v1.24.0', 'arm', 'zstd', 'sha256:0'],
      ['v1.9.0', 'amd64', 'zstd', 'sha256:0'],
    ],
  )
})

test('the matrix has both compressions beside the original, in megabytes of 10^6 bytes', (t) => {
  const rows = [
    layeredRow({ compressed: 11_240_000, extracted: 46_950_000 }),
    layeredRow({ compressed: 12_500_000, extracted: 46_950_000, compression: 'gzip' }),
    layeredRow({ arch: 'arm', compressed: 10_130_000, extracted: 43_240_000 }),
    layeredRow({ image: 'kube-proxy', compressed: 7_566_000, extracted: 32_490_000 }),
  ]
  t.is(
    sizeMatrix(rows, original),
    `| v1.24.0, static |  | zstd | gzip | the original, gzip | extracted | the original |
| --- | --- | --: | --: | --: | --: | --: |
| base | amd64 | 11.24 (−55 %) | 12.50 (−49 %) | 24.75 | 46.95 (−38 %) | 75.46 |
|  | arm/v7 | 10.13 (−56 %) |  | 22.79 | 43.24 (−35 %) | 66.54 |
| kube-proxy | amd64 | 7.57 |  |  | 32.49 |  |
`,
  )
})

test('a release without an original has no columns for it', (t) => {
  const [head] = sizeMatrix([layeredRow({ kubernetes: 'v1.36.4' })], original).split('\n')
  t.is(head, '| v1.36.4, static |  | zstd | extracted |')
})

test('a README without markers is refused', (t) => {
  t.throws(() => withMatrix('# Sizes\n', ''), { message: /^README\.md: no lines/ })
})

test('a difference has its sign', (t) => {
  t.is(difference(45, 100), '−55 %')
  t.is(difference(110, 100), '+10 %')
})

/** https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio */
function contrast(...colours: [string, string]): number {
  const [light, dark] = colours.map(luminance).sort((a, b) => b - a) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

test('the chart can be read on light and dark pages, and shows both projects by length', (t) => {
  const chart = sizeChart([layeredRow({ compressed: 12_375_000 })], original)
  const colours = new Set(chart.match(/#[0-9a-f]{6}/g))
  t.is(colours.size, 3)
  for (const colour of colours) {
    for (const page of ['#ffffff', '#0d1117']) t.true(contrast(colour, page) >= 3, colour)
  }
  const widths = [...chart.matchAll(/width="([\d.]+)" height="12" fill/g)].map(([, width]) => width)
  // After two squares of the legend: half of the original's compressed size.
  t.deepEqual(widths.slice(2, 4), ['125', '250'])
  t.true(chart.includes('>12.4</text>'))
  t.true(chart.includes('>24.8</text>'))
})
