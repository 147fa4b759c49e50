import type { Facts } from './schema.js'

/** The base for whoever names none: the first Alpine release of variants.json. */
export function alpineBase(facts: Facts): string {
  return firstBase(facts, 'alpine')
}

/** The base that needs nothing but what every build needs. */
export function staticBase(facts: Facts): string {
  return firstBase(facts, 'static')
}

function firstBase(facts: Facts, wanted: 'alpine' | 'static'): string {
  return Object.entries(facts.bases).find(([, { kind }]) => kind === wanted)?.[0] as string
}
