import semver from 'semver'
import type { Facts } from '../facts/schema.js'

/** What is published and variants.json does not know yet. */
export interface News {
  /** The newest release of each minor that has a newer one. */
  releases: string[]
  /** The newest release of each minor that is not in variants.json. */
  minors: string[]
}

/** Compares variants.json with every published version of Kubernetes. Pure. */
export function newsOf(published: readonly string[], { kubernetes }: Facts): News {
  const newest = new Map<string, string>()
  for (const version of semver.sort(published.filter((one) => semver.prerelease(one) === null))) {
    newest.set(minorOf(version), version)
  }
  const oldest = `${Object.keys(kubernetes)[0]}.0`
  const releases: string[] = []
  const minors: string[] = []
  for (const [minor, version] of newest) {
    const known = kubernetes[minor]?.newest
    if (known === undefined && semver.gt(version, oldest)) minors.push(version)
    if (known !== undefined && semver.gt(version, known)) releases.push(version)
  }
  return { releases, minors }
}

/** The text of variants.json with these releases as the newest of their minors. */
export function withNewest(text: string, releases: readonly string[], facts: Facts): string {
  return releases.reduce((changed, version) => {
    const known = facts.kubernetes[minorOf(version)]?.newest
    return changed.replace(`"newest": "${known}"`, `"newest": "${version}"`)
  }, text)
}

function minorOf(version: string): string {
  return `${semver.major(version)}.${semver.minor(version)}`
}
