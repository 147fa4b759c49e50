import { staticBase } from '../facts/bases.js'
import { notAllowed, oneOf } from '../facts/closed-set.js'
import { UserError } from '../facts/errors.js'
import { type KubernetesVersion, parseKubernetesVersion } from '../facts/kubernetes-version.js'
import { type Arch, allArches, parseArch } from '../facts/platform.js'
import { publishedImages } from '../facts/published.js'
import type { Facts } from '../facts/schema.js'
import { type AlpineRequest, parseAlpineFlags, wantsAlpine } from './alpine-request.js'
import type { Compression } from './spec.js'

export type EngineKind = 'runner' | 'docker' | 'embedded'

export const compressions: readonly Compression[] = ['zstd', 'gzip']
export const engineKinds: readonly EngineKind[] = ['runner', 'docker', 'embedded']

/** What to build, every word of it checked. */
export interface BuildRequest {
  kubernetes: KubernetesVersion
  arches: Arch[]
  images: string[]
  variants: string[]
  bases: string[]
  /** Whether every one of them must be built; else one whose packages cannot be reached is skipped. */
  basesNamed: boolean
  alpine: AlpineRequest
  compression: Compression
  output: string
  engine?: EngineKind
  /** Build without network, with what is in a bundle; of the caches alone where none is named. */
  offline?: { bundle?: string }
  plan: boolean
  json: boolean
}

/** What may be said of a build, as it was given: no word of it checked yet. Flags are one source of it. */
export interface BuildValues {
  k8s?: string | undefined
  arch?: string[] | undefined
  image?: string[] | undefined
  variant?: string[] | undefined
  base?: string[] | undefined
  alpineMirror?: string | undefined
  alpineKey?: string[] | undefined
  alpineLock?: string[] | undefined
  apk?: string[] | undefined
  compression?: string | undefined
  output?: string | undefined
  engine?: string | undefined
  /** A bundle, or `true` for what is in the caches. */
  offline?: string | true | undefined
  plan?: boolean | undefined
  json?: boolean | undefined
}

/** Checks every word of what is asked for, and fills in what is left out. Throws a UserError. */
export function makeBuildRequest(given: BuildValues, facts: Facts): BuildRequest {
  if (given.k8s === undefined) throw missingRelease()
  const kubernetes = parseKubernetesVersion(given.k8s, Object.keys(facts.kubernetes))
  const bases = chooseBases(given, facts)
  return {
    kubernetes,
    arches: unique((given.arch ?? allArches).map(parseArch)),
    // Internal images are built only when they are named.
    images: keysOf(
      'image',
      given.image ?? publishedImages(facts),
      facts.images,
      publishedImages(facts),
    ),
    variants: keysOf('variant', given.variant, facts.variants),
    bases,
    basesNamed: given.base !== undefined,
    alpine: parseAlpineFlags(given, bases, facts),
    compression: oneOf(
      'compression',
      given.compression ?? defaultCompression(kubernetes),
      compressions,
    ),
    output: given.output ?? 'dist',
    ...(given.engine !== undefined && { engine: oneOf('engine', given.engine, engineKinds) }),
    ...(given.offline !== undefined && {
      offline: given.offline === true ? {} : { bundle: given.offline },
    }),
    plan: given.plan ?? false,
    json: given.json ?? false,
  }
}

/** Whoever still runs a release below v1.24 may run a Docker below 23, which reads no zstd layers: docs/using.md. */
function defaultCompression({ minor }: KubernetesVersion): Compression {
  return Number(minor.split('.')[1]) >= 24 ? 'zstd' : 'gzip'
}

/** The bases asked for; all that can give what was asked for, where none is named. */
function chooseBases(given: BuildValues, facts: Facts): string[] {
  const all = Object.keys(facts.bases)
  const named = given.base && keysOf('base', given.base, facts.bases)
  if (given.offline !== undefined) return offlineBases(named, facts)
  if (named !== undefined) return named
  return wantsAlpine(given) ? all.filter((name) => facts.bases[name]?.kind === 'alpine') : all
}

/** The bases of a build without network. Throws a UserError for one whose packages only a mirror has. */
export function offlineBases(named: readonly string[] | undefined, facts: Facts): string[] {
  const base = staticBase(facts)
  const other = named?.find((name) => name !== base)
  if (other === undefined) return [base]
  throw new UserError(
    `base ${other} cannot be built offline, because its packages come from a mirror: take --base ${base}`,
  )
}

/** The error for a request without a release. */
export function missingRelease(): UserError {
  return new UserError('missing --k8s: name the Kubernetes release, for example --k8s v1.24.0')
}

/** Names of a table; of those that are for tests alone no error tells. */
function keysOf(
  what: string,
  given: string[] | undefined,
  table: object,
  told: readonly string[] = Object.keys(table),
): string[] {
  const names = (given ?? told).map((name) => {
    if (!Object.hasOwn(table, name)) throw notAllowed(what, name, told)
    return name
  })
  return unique(names)
}

function unique<T>(list: readonly T[]): T[] {
  return [...new Set(list)]
}
