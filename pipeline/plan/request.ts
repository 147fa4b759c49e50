import { type ParseArgsConfig, parseArgs } from 'node:util'
import { staticBase } from '../facts/bases.js'
import { nearMiss, notAllowed } from '../facts/closed-set.js'
import { messageOf, UserError } from '../facts/errors.js'
import { type KubernetesVersion, parseKubernetesVersion } from '../facts/kubernetes-version.js'
import { publishedImages, type Variants } from '../facts/load.js'
import { type Arch, allArches, parseArch } from '../facts/platform.js'
import { type AlpineRequest, parseAlpineFlags } from './alpine-request.js'
import type { Compression } from './spec.js'

export type EngineKind = 'runner' | 'docker' | 'embedded'

const compressions: readonly Compression[] = ['zstd', 'gzip']
const engineKinds: readonly EngineKind[] = ['runner', 'docker', 'embedded']

/** What `npm run build` was asked for, every word of it checked. */
export interface BuildRequest {
  kubernetes: KubernetesVersion
  arches: Arch[]
  images: string[]
  variants: string[]
  /** Left out where the default is wanted, which depends on whether Alpine's mirror answers. */
  base?: string
  alpine: AlpineRequest
  compression: Compression
  output: string
  engine?: EngineKind
  /** Build without network, with what is in a bundle; of the caches alone where none is named. */
  offline?: { bundle?: string }
  plan: boolean
  json: boolean
}

export const buildHelp = `Usage: npm run build -- --k8s VERSION [options]

Builds container images of the Kubernetes node components from source.

  --k8s VERSION        Kubernetes release, v1.22.0 or later (required)
  --arch LIST          amd64, arm64, arm (default: all)
  --image LIST         images (default: all)
  --variant LIST       variants (default: all)
  --base NAME          alpine3.23 or static (default: alpine3.23 if its mirror answers, else static)
  --alpine-mirror URL  where Alpine's packages come from (default: Alpine's own)
  --alpine-key FILE    public key that may sign the mirror's index, beside Alpine's; repeatable
  --alpine-lock FILE   use the packages of an earlier build's .lock.json; one for each image
  --apk LIST           more Alpine packages for the images
  --compression NAME   zstd or gzip (default: zstd from v1.24 on, gzip below)
  --output DIR         where the archives and sizes.json go (default: dist)
  --engine NAME        runner, docker or embedded (default: the first that is there)
  --offline [BUNDLE]   use no network: all inputs come from a bundle that npm run inputs -- bundle has made, or were
                       fetched before (base static)
  --plan               print what would be built, and stop
  --json               print the result as JSON instead of a table
  --help               print this text

LIST is comma-separated. Results go to stdout, progress to stderr.
Exit status: 0 done, 1 the build failed, 2 the request was wrong.
`

export const packReportHelp = `Usage: npm run pack-report -- [options]

Measures every component in every packing: extracted and compressed size, and start time where this machine can run it.

  --k8s VERSION        Kubernetes release (default: v1.24.0)
  --arch LIST          amd64, arm64, arm (default: all)
  --engine NAME        runner, docker or embedded (default: the first that is there)
  --json               print the result as JSON instead of a table
  --help               print this text
`

/** Flags of a build. */
export const buildOptions = {
  k8s: { type: 'string' },
  arch: { type: 'string', multiple: true },
  image: { type: 'string', multiple: true },
  variant: { type: 'string', multiple: true },
  base: { type: 'string' },
  'alpine-mirror': { type: 'string' },
  'alpine-key': { type: 'string', multiple: true },
  'alpine-lock': { type: 'string', multiple: true },
  apk: { type: 'string', multiple: true },
  compression: { type: 'string' },
  output: { type: 'string', default: 'dist' },
  engine: { type: 'string' },
  offline: { type: 'string' },
  plan: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

/** What may be said of a build, as it was given: no word of it checked yet. Flags are one source of it. */
export type BuildValues = {
  [Name in keyof ReturnType<typeof parseFlags<typeof buildOptions>>]?:
    | ReturnType<typeof parseFlags<typeof buildOptions>>[Name]
    | undefined
}

/** Reads the arguments of `npm run build`; `help` when only the usage is wanted. Throws a UserError. */
export function parseBuildRequest(args: readonly string[], facts: Variants): BuildRequest | 'help' {
  const given = parseFlags(withOptionalValue(args, '--offline'), buildOptions)
  return given.help ? 'help' : makeBuildRequest(given, facts)
}

/** Checks every word of what is asked for, and fills in what is left out. Throws a UserError. */
export function makeBuildRequest(given: BuildValues, facts: Variants): BuildRequest {
  if (given.k8s === undefined) {
    throw new UserError('missing --k8s: name the Kubernetes release, for example --k8s v1.24.0')
  }
  const kubernetes = parseKubernetesVersion(given.k8s, Object.keys(facts.kubernetes))
  const named = given.base === undefined ? undefined : parseBase(given.base, facts)
  const offline = given.offline !== undefined
  const base = offline ? offlineBase(named, facts) : named
  return {
    kubernetes,
    arches: unique((listOf(given.arch) ?? allArches).map(parseArch)),
    // Internal images are built only when they are named.
    images: keysOf('image', given.image ?? publishedImages(facts), facts.images),
    variants: keysOf('variant', given.variant, facts.variants),
    ...(base !== undefined && { base }),
    alpine: parseAlpineFlags(given, unique(listOf(given.apk) ?? []), base, facts),
    compression: oneOf(
      'compression',
      given.compression ?? defaultCompression(kubernetes),
      compressions,
    ),
    output: given.output ?? 'dist',
    ...(given.engine !== undefined && { engine: oneOf('engine', given.engine, engineKinds) }),
    ...(offline && { offline: given.offline === '' ? {} : { bundle: given.offline as string } }),
    plan: given.plan ?? false,
    json: given.json ?? false,
  }
}

/** Reads the arguments of `npm run pack-report`, which are some of those of a build. Throws a UserError. */
export function parsePackReportRequest(
  args: readonly string[],
  facts: Variants,
): BuildRequest | 'help' {
  const { k8s, arch, engine, json, help } = buildOptions
  const { help: wanted, ...given } = parseFlags(args, { k8s, arch, engine, json, help })
  return wanted ? 'help' : makeBuildRequest({ k8s: 'v1.24.0', base: 'static', ...given }, facts)
}

/** Throws a UserError that names the first argument which is no known flag. */
export function verifyFlags(args: readonly string[], known: readonly string[]): void {
  for (const arg of args) {
    const flag = arg.split('=', 1)[0] as string
    if (flag.startsWith('-') && !known.includes(flag)) throw notAllowed('flag', flag, known)
  }
}

/** Reads flags of these names and types. Throws a UserError. */
export function parseFlags<T extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: T,
) {
  const known = Object.keys(options).map((name) => `--${name}`)
  verifyFlags(args, known)
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    if (positionals[0] === undefined) return values
    const meant = nearMiss(`--${positionals[0]}`, known)
    const hint = meant === undefined ? '' : ` Did you mean ${meant}?`
    throw new UserError(
      `unexpected argument "${positionals[0]}": every argument is a flag; see --help.${hint}`,
    )
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError(`${messageOf(error).split('\n')[0]}; see --help`, { cause: error })
  }
}

/** Docker reads zstd layers from 20.10 on; whoever still runs a release below v1.24 may run an older one. */
function defaultCompression({ minor }: KubernetesVersion): Compression {
  return Number(minor.split('.')[1]) >= 24 ? 'zstd' : 'gzip'
}

function parseBase(name: string, facts: Variants): string {
  return oneOf('base', name, Object.keys(facts.bases))
}

/** The base of a build without network. Throws a UserError for one whose packages only a mirror has. */
export function offlineBase(named: string | undefined, facts: Variants): string {
  const base = staticBase(facts)
  if (named === undefined || named === base) return base
  throw new UserError(
    `base ${named} cannot be built offline, because its packages come from a mirror: take --base ${base}`,
  )
}

/** A flag whose value may be left out gets an empty one, as parseArgs wants it. */
function withOptionalValue(args: readonly string[], flag: string): string[] {
  return args.map((arg, i) => {
    const next = args[i + 1]
    return arg === flag && (next === undefined || next.startsWith('-')) ? `${flag}=` : arg
  })
}

function keysOf(what: string, given: string[] | undefined, table: object): string[] {
  const allowed = Object.keys(table)
  return unique((listOf(given) ?? allowed).map((name) => oneOf(what, name, allowed)))
}

/** Checks a word against a closed set; throws a UserError. */
export function oneOf<T extends string>(what: string, name: string, allowed: readonly T[]): T {
  if (!(allowed as readonly string[]).includes(name)) throw notAllowed(what, name, allowed)
  return name as T
}

function listOf(given: string[] | undefined): string[] | undefined {
  return given?.flatMap((text) => text.split(',')).map((text) => text.trim())
}

function unique<T>(list: readonly T[]): T[] {
  return [...new Set(list)]
}
