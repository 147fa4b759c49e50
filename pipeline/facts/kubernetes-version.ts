import semver from 'semver'
import { nearMiss } from './closed-set.js'
import { UserError } from './errors.js'

/** A Kubernetes release, parsed once at the edge. */
export interface KubernetesVersion {
  /** As its tag is written, with the `v`: `v1.24.0`. */
  version: string
  /** `1.24`, the key of `kubernetes` in variants.json. */
  minor: string
  patch: number
}

/**
 * Reads a Kubernetes release such as `v1.24.0` (the `v` may be left out).
 * Throws a UserError when it is malformed or its minor is not among `minors` (oldest first).
 */
export function parseKubernetesVersion(text: string, minors: readonly string[]): KubernetesVersion {
  const range = `from v${minors[0]} to v${minors.at(-1)}`
  const parsed = semver.parse(text)
  if (parsed === null || !/^v?\d/.test(text)) {
    const meant = semver.coerce(text)
    const hint = meant === null ? '' : ` Did you mean v${meant.version}?`
    throw new UserError(
      `malformed Kubernetes version "${text}": write it as vMAJOR.MINOR.PATCH, ${range}.${hint}`,
    )
  }
  if (parsed.prerelease.length > 0 || parsed.build.length > 0) {
    throw new UserError(
      `unsupported Kubernetes version "${text}": only releases are built, ${range}. Did you mean v${parsed.major}.${parsed.minor}.${parsed.patch}?`,
    )
  }
  const minor = `${parsed.major}.${parsed.minor}`
  if (!minors.includes(minor)) {
    const meant = nearMiss(minor, minors)
    const hint = meant === undefined ? '' : ` The nearest is v${meant}.`
    throw new UserError(
      `unsupported Kubernetes version "${text}": images are built ${range}.${hint}`,
    )
  }
  return { version: `v${parsed.version}`, minor, patch: parsed.patch }
}
