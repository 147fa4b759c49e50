import { closest, distance } from 'fastest-levenshtein'
import { UserError } from './errors.js'

/** The allowed word that the user most likely meant, if one is near enough to be a slip. */
export function nearMiss(asked: string, allowed: readonly string[]): string | undefined {
  if (allowed.length === 0) return undefined
  const best = closest(asked, allowed)
  const slips = distance(asked.toLowerCase(), best.toLowerCase())
  return slips <= Math.max(2, Math.floor(best.length / 3)) ? best : undefined
}

/** The one-line error for a word outside a closed set. */
export function notAllowed(what: string, asked: string, allowed: readonly string[]): UserError {
  const meant = nearMiss(asked, allowed)
  const hint = meant === undefined ? '' : ` Did you mean ${meant}?`
  return new UserError(`unknown ${what} "${asked}": choose from ${allowed.join(', ')}.${hint}`)
}

/** Checks a word against a closed set; throws a UserError. */
export function oneOf<T extends string>(what: string, name: string, allowed: readonly T[]): T {
  if (!(allowed as readonly string[]).includes(name)) throw notAllowed(what, name, allowed)
  return name as T
}
