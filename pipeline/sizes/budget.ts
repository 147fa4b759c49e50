import semver from 'semver'
import { platformOf } from '../facts/platform.js'
import type { Facts, SizeBudget } from '../facts/schema.js'
import { type LayeredRow, megabytes } from './rows.js'

type Measure = 'compressed' | 'extracted'

/**
 * One line for each image that is larger than variants.json allows, with what grew since it was last measured. Pure.
 * Only what is the same wherever it is built has a budget: images on the static base, as zstd.
 */
export function overBudget(
  rows: readonly LayeredRow[],
  facts: Facts,
  measured: readonly LayeredRow[],
): string[] {
  return rows.flatMap((row) => {
    const budget = budgetOf(row, facts)
    if (budget === undefined) return []
    const measures: Measure[] = ['compressed', 'extracted']
    const over = measures.filter((measure) => row[measure] > budget[measure] * 1e6)
    if (over.length === 0) return []
    const image = `${row.image}:${row.tag} ${platformOf(row.arch).platform}`
    const faults = over.map((measure) => fault(row, measure, budget, measured))
    return [`${image} is over its budget in variants.json: ${faults.join('; ')}`]
  })
}

/** The budget of an image, if it has one: that of the newest minor up to its own. */
export function budgetOf(row: LayeredRow, facts: Facts): SizeBudget | undefined {
  if (facts.bases[row.base]?.kind !== 'static' || row.compression !== 'zstd') return undefined
  const budgets = facts.budgets[row.image]?.[row.variant] ?? {}
  const minors = Object.keys(budgets).filter((minor) => semver.lte(`${minor}.0`, row.kubernetes))
  const [newest] = minors.sort((a, b) => semver.rcompare(`${a}.0`, `${b}.0`))
  return newest === undefined ? undefined : budgets[newest]
}

function fault(
  row: LayeredRow,
  measure: Measure,
  budget: SizeBudget,
  measured: readonly LayeredRow[],
): string {
  const earlier = lastMeasured(row, measured)
  const size = `${megabytes(row[measure])} ${measure} instead of ${megabytes(budget[measure] * 1e6)}`
  if (earlier === undefined) return `${size} (no release of it was measured)`
  const grown = row.layers
    .map(({ name, ...layer }) => {
      const before = earlier.layers.find((one) => one.name === name)?.[measure] ?? 0
      return { name, bytes: layer[measure] - before }
    })
    // Less would be told as 0.00 MB.
    .filter(({ bytes }) => bytes >= 5_000)
    .sort((a, b) => b.bytes - a.bytes)
    .map(({ name, bytes }) => `${name} +${megabytes(bytes)}`)
  return `${size} (grew since ${earlier.kubernetes}: ${grown.join(', ') || 'nothing'})`
}

/** The same image of the newest release up to its own, or else of any. */
function lastMeasured(row: LayeredRow, measured: readonly LayeredRow[]): LayeredRow | undefined {
  const keys = ['image', 'variant', 'base', 'arch', 'compression'] as const
  const same = measured
    .filter((one) => keys.every((key) => one[key] === row[key]))
    .sort((a, b) => semver.rcompare(a.kubernetes, b.kubernetes))
  return same.find((one) => semver.lte(one.kubernetes, row.kubernetes)) ?? same.at(-1)
}
