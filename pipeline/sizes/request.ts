import { oneOf } from '../facts/closed-set.js'
import { UserError } from '../facts/errors.js'
import { parseKubernetesVersion } from '../facts/kubernetes-version.js'
import { type Arch, parseArch } from '../facts/platform.js'
import { publishedImages } from '../facts/published.js'
import type { Facts } from '../facts/schema.js'
import { type BuildRequest, type BuildValues, makeBuildRequest } from '../plan/request.js'

/** What `npm run sizes` was asked for: the matrix, after a build or not, an image's bytes, or two builds' differences. */
export type SizesRequest = MatrixRequest | WhyRequest | DiffRequest

export interface MatrixRequest {
  mode: 'matrix'
  /** What to build first. */
  build?: BuildRequest
  /** Directory that `npm run build` wrote. */
  output: string
}

export interface WhyRequest {
  mode: 'why'
  image: string
  variant: string
  arch: Arch
  /** Needed only where the directory has several that fit. */
  kubernetes?: string
  base?: string
  output: string
  json: boolean
}

export interface DiffRequest {
  mode: 'diff'
  /** Directories that `npm run build` wrote, or archives in them. */
  before: string
  after: string
  json: boolean
}

/** What may be said of sizes, as it was given: no word of it checked yet. */
export interface SizesValues extends BuildValues {
  why?: string | undefined
  diff?: string[] | undefined
}

/** Values that each mode has; a matrix has those of a build, and without a release only a directory. */
const valuesOf = {
  why: ['why', 'arch', 'variant', 'k8s', 'base', 'output', 'json'],
  diff: ['diff', 'json'],
  matrix: ['k8s', 'arch', 'image', 'variant', 'base', 'compression', 'output', 'engine'],
  read: ['output'],
} as const

/** Checks every word of what is asked for. Throws a UserError. */
export function makeSizesRequest(given: SizesValues, facts: Facts): SizesRequest {
  if (given.why !== undefined) return makeWhy(given, given.why, facts)
  if (given.diff !== undefined) return makeDiff(given, given.diff)
  if (given.k8s !== undefined) {
    verifyValues(given, valuesOf.matrix, 'a build')
    const build = makeBuildRequest(given, facts)
    return { mode: 'matrix', build, output: build.output }
  }
  verifyValues(given, valuesOf.read, 'a matrix without --k8s')
  return { mode: 'matrix', output: given.output ?? 'dist' }
}

function makeWhy(given: SizesValues, why: string, facts: Facts): WhyRequest {
  verifyValues(given, valuesOf.why, '--why')
  const { k8s, output = 'dist', json = false } = given
  const image = oneOf('image', why, publishedImages(facts))
  const [arch, variant = 'base', base] = [given.arch, given.variant, given.base].map(single)
  if (arch === undefined) {
    throw new UserError(
      'missing --arch: name the architecture of the image, for example --arch arm64',
    )
  }
  return {
    mode: 'why',
    image,
    variant: oneOf('variant', variant, Object.keys(facts.variants)),
    arch: parseArch(arch),
    ...(k8s !== undefined && {
      kubernetes: parseKubernetesVersion(k8s, Object.keys(facts.kubernetes)).version,
    }),
    ...(base !== undefined && { base: oneOf('base', base, Object.keys(facts.bases)) }),
    output,
    json,
  }
}

function makeDiff(given: SizesValues, diff: readonly string[]): DiffRequest {
  verifyValues(given, valuesOf.diff, '--diff')
  const [before, after, ...more] = diff
  if (before === undefined || after === undefined || more.length > 0) {
    throw new UserError(
      '--diff compares two: --diff BEFORE AFTER, directories of npm run build or archives',
    )
  }
  return { mode: 'diff', before, after, json: given.json ?? false }
}

/** --why is about one image. */
function single(names: string[] | undefined): string | undefined {
  if (names === undefined || names.length === 1) return names?.[0]
  throw new UserError(`--why is about one image: choose one of ${names.join(', ')}`)
}

function verifyValues(given: SizesValues, allowed: readonly string[], what: string): void {
  const other = Object.entries(given).find(
    ([name, value]) => value !== undefined && !allowed.includes(name),
  )
  if (other === undefined) return
  const flags = allowed.map((name) => `--${name}`).join(', ')
  throw new UserError(`--${other[0]} has no place with ${what}: choose from ${flags}`)
}
