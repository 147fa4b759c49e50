import { table } from 'table'
import { buildPlanned, planRequested } from '../pipeline/build/prepare.js'
import type { Facts } from '../pipeline/facts/schema.js'
import type { BuildRequest } from '../pipeline/plan/request.js'
import type { ImageSpec } from '../pipeline/plan/spec.js'
import { megabytes, type SizeRow } from '../pipeline/sizes/rows.js'

export default async function build(request: BuildRequest, facts: Facts): Promise<void> {
  const specs = await planRequested(request, facts)
  if (request.plan) return print(request.json ? json(specs) : planTable(specs))
  const rows = await buildPlanned(request, facts, specs)
  print(request.json ? json(rows) : sizeTable(rows))
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
  const cells = rows.map((row) => [
    `${row.image}:${row.tag}`,
    row.arch,
    `${megabytes(row.compressed)} (${row.compression})`,
    megabytes(row.extracted),
    row.digest,
  ])
  return table([['image', 'arch', 'compressed', 'extracted', 'digest'], ...cells])
}
