import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildPlanned, planRequested } from '../pipeline/build/prepare.js'
import { UserError } from '../pipeline/facts/errors.js'
import { projectFile } from '../pipeline/facts/project.js'
import { publishedImages } from '../pipeline/facts/published.js'
import type { Facts } from '../pipeline/facts/schema.js'
import { replaceFiles } from '../pipeline/host/files.js'
import { requirePrograms } from '../pipeline/host/tools.js'
import { lockHash } from '../pipeline/inputs/lock.js'
import { sizeChart } from '../pipeline/sizes/chart.js'
import { compareBuilds } from '../pipeline/sizes/comparison.js'
import { isArchive, readImages } from '../pipeline/sizes/content.js'
import { explainImage } from '../pipeline/sizes/explain.js'
import {
  chartFile,
  loadMeasured,
  loadOriginal,
  measuredFile,
  mergeMeasured,
} from '../pipeline/sizes/figures.js'
import { sizeMatrix, withMatrix } from '../pipeline/sizes/matrix.js'
import type { DiffRequest, MatrixRequest, SizesRequest } from '../pipeline/sizes/request.js'
import type { MeasuredRow } from '../pipeline/sizes/rows.js'
import { changeTable, whyTable } from '../pipeline/sizes/tables.js'

const readmeFile = projectFile('README.md')

export default async function sizes(request: SizesRequest, facts: Facts): Promise<void> {
  await requirePrograms({ gzip: 'gzip', tar: 'tar', zstd: 'zstd' })
  switch (request.mode) {
    case 'matrix':
      return print(await writeMatrix(request, facts))
    case 'why': {
      const image = await explainImage(request, facts)
      return print(request.json ? json(image) : whyTable(image))
    }
    case 'diff': {
      const changes = await compare(request, facts)
      return print(request.json ? json(changes) : changeTable(changes))
    }
  }
}

function print(result: string): void {
  process.stdout.write(result)
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

/** Puts the figures of a build into the data, the README and the chart; gives the names of these files. */
async function writeMatrix({ build, output }: MatrixRequest, facts: Facts): Promise<string> {
  if (build) await buildPlanned(build, facts, await planRequested(build, facts))
  const published = publishedImages(facts)
  const lock = lockHash()
  const images = await readImages(resolve(output), facts)
  const rows = images
    .filter(({ image }) => published.includes(image))
    .map(({ layers, ...row }): MeasuredRow => {
      return { ...row, lock, layers: layers.map(({ files: _, ...layer }) => layer) }
    })
  const measured = mergeMeasured(loadMeasured(), rows, facts)
  const original = loadOriginal()
  const readme = await readFile(readmeFile, 'utf8')
  const contents = {
    [fileURLToPath(measuredFile)]: json(measured),
    [fileURLToPath(readmeFile)]: withMatrix(readme, sizeMatrix(measured, original)),
    [fileURLToPath(chartFile)]: sizeChart(measured, original),
  }
  await replaceFiles(contents)
  return Object.keys(contents)
    .map((file) => `${file}\n`)
    .join('')
}

/** Compares two builds: images of the same name, or two archives whatever they are called. */
async function compare({ before, after }: DiffRequest, facts: Facts) {
  const paths = [before, after].map((path) => resolve(path))
  const archives = paths.filter(isArchive)
  if (archives.length === 1) {
    throw new UserError('--diff compares two directories or two archives, not one with the other')
  }
  const [a, b] = await Promise.all(paths.map((path) => readImages(path, facts)))
  return compareBuilds(a ?? [], b ?? [], archives.length > 0 ? ({ arch }) => arch : undefined)
}
