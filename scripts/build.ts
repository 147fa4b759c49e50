import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { table } from 'table'
import { UserError } from '../pipeline/errors.js'
import { type ImageSpec, planImages } from '../pipeline/plan.js'
import { buildHelp, parseBuildRequest } from '../pipeline/request.js'
import type { SizeRow } from '../pipeline/sizes.js'
import { loadVariants } from '../pipeline/variants.js'
import { chooseBase, prepareMirror } from './alpine.js'
import { prepareEngine } from './engine/engine.js'
import { withClient } from './engine/session.js'
import { exitWith } from './exit.js'
import { buildImages } from './images.js'
import { line } from './progress.js'
import { verifyPublished } from './published.js'

await exitWith(async () => {
  const facts = loadVariants()
  const request = parseBuildRequest(process.argv.slice(2), facts)
  if (request === 'help') return print(buildHelp)
  const output = resolve(request.output)
  verifyOutput(output)
  const base = await chooseBase(request, facts)
  const specs = planImages({ ...request, base }, facts)
  await verifyPublished(request.kubernetes, facts)
  if (request.plan) return print(request.json ? json(specs) : planTable(specs))
  const mirror = await prepareMirror(request, facts, specs)

  const engine = await prepareEngine(request.engine)
  line(`engine: ${engine.description}`)
  const rows = await withClient(engine, (client) =>
    buildImages(client, facts, specs, mirror, output),
  )
  print(request.json ? json(rows) : sizeTable(rows))
})

function verifyOutput(output: string): void {
  const found = statSync(output, { throwIfNoEntry: false })
  if (found === undefined || found.isDirectory()) return
  throw new UserError(`--output ${output} is a file: name a directory, there or not`)
}

function print(result: string): void {
  process.stdout.write(result)
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

function planTable(specs: readonly ImageSpec[]): string {
  const rows = specs.map((spec) => [
    `${spec.image}:${spec.tag}`,
    spec.platforms.join(', '),
    spec.compression,
    `go${spec.components[0]?.go}`,
    spec.archive,
  ])
  return table([['image', 'platforms', 'compression', 'Go', 'archive'], ...rows])
}

function sizeTable(rows: readonly SizeRow[]): string {
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`
  const cells = rows.map((row) => [
    `${row.image}:${row.tag}`,
    row.arch,
    `${megabytes(row.compressed)} (${row.compression})`,
    megabytes(row.extracted),
    row.digest,
  ])
  return table([['image', 'arch', 'compressed', 'extracted', 'digest'], ...cells])
}
