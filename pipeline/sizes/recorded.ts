import { UserError } from '../facts/errors.js'
import type { ImageSpec } from '../plan/spec.js'
import type { MeasuredRow, SizeRow } from './rows.js'

/**
 * What is recorded of images that were built with a lock, by its hash. Throws a UserError that names the first image of
 * which nothing is.
 */
export function recordedRows(
  specs: readonly ImageSpec[],
  measured: readonly MeasuredRow[],
  lock: string,
): SizeRow[] {
  const current = measured.filter((row) => row.lock === lock)
  return specs.flatMap(({ image, tag, arches, compression }) =>
    arches.map((arch) => {
      const same = (row: SizeRow) =>
        row.image === image &&
        row.tag === tag &&
        row.arch === arch &&
        row.compression === compression
      const found = current.find(same)
      if (found) return found
      throw new UserError(
        `no digest of ${image}:${tag} ${arch} (${compression}) is recorded for this lock: ${known(current)}`,
      )
    }),
  )
}

function known(rows: readonly MeasuredRow[]): string {
  const groups = rows.map((row) => `${row.kubernetes} ${row.base} (${row.compression})`)
  if (groups.length === 0) return 'npm run sizes records them'
  return `recorded are ${[...new Set(groups)].join(', ')}, and npm run sizes records more`
}
