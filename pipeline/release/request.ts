import { UserError } from '../facts/errors.js'
import type { Variants } from '../facts/load.js'
import { type BuildRequest, buildOptions, makeBuildRequest, parseFlags } from '../plan/request.js'

/** What `npm run release` was asked for. */
export interface ReleaseRequest {
  /** Without a base: every base. */
  build: BuildRequest
  /** HOST/NAMESPACE. */
  registry: string
  stage: Stage
  dryRun: boolean
  /** File for the notes. */
  notes?: string
  plainHttp: boolean
  json: boolean
}

/** All of a release, the images of one shard without their tags, or the tags of what all shards have pushed. */
export type Stage = 'all' | 'tags' | Shard

/** One of `count` parts, from 1. */
export interface Shard {
  part: number
  count: number
}

export const releaseHelp = `Usage: npm run release -- --k8s VERSION --registry HOST/NAMESPACE [options]

Builds every image of a release and pushes it as HOST/NAMESPACE/IMAGE:TAG, with the blobs of its archive: what is there
already is not pushed again, and all tags are moved at the end, or none.

  --k8s VERSION        Kubernetes release, v1.22.0 or later (required)
  --registry PLACE     where the images go, for example registry.example.org/nodes (required)
  --dry-run            build, print what would be pushed, and ask no registry
  --shard I/N          build and push part I of N, without tags; what was pushed is noted in --output
  --tags               build nothing: move the tags of what every shard has noted in --output
  --notes FILE         write notes of the release in Markdown: digests, and sizes beside the original's
  --plain-http         allow HTTP without TLS to another machine
  --image LIST         images (default: all)
  --variant LIST       variants (default: all)
  --base NAME          one base (default: every base)
  --output DIR         where the archives and notes go (default: dist)
  --json               print the result as JSON instead of a table
  --help               print this text

--compression, --engine, --apk and the flags that start with --alpine- are as for npm run build.
Credentials come from REGISTRY_USERNAME and REGISTRY_PASSWORD, else from Docker's configuration and its credential
helpers; SSL_CERT_FILE names other certificate authorities than the system's.
Exit status: 0 done, 1 the build or the push failed, 2 the request was wrong.
`

// An index has every architecture.
const { arch: _arch, plan: _plan, ...shared } = buildOptions

const options = {
  ...shared,
  registry: { type: 'string' },
  shard: { type: 'string' },
  tags: { type: 'boolean', default: false },
  notes: { type: 'string' },
  'dry-run': { type: 'boolean', default: false },
  'plain-http': { type: 'boolean', default: false },
} as const

/** Reads the arguments of `npm run release`; `help` when only the usage is wanted. Throws a UserError. */
export function parseReleaseRequest(
  args: readonly string[],
  facts: Variants,
): ReleaseRequest | 'help' {
  const given = parseFlags(args, options)
  if (given.help) return 'help'
  const build = makeBuildRequest(given, facts)
  if (given.registry === undefined) {
    throw new UserError('missing --registry: name where the images go, as HOST/NAMESPACE')
  }
  if (given.tags && given.shard !== undefined) {
    throw new UserError('--tags is for all shards together: leave --shard out')
  }
  return {
    build,
    registry: parseRegistry(given.registry),
    stage: given.shard === undefined ? (given.tags ? 'tags' : 'all') : parseShard(given.shard),
    dryRun: given['dry-run'],
    ...(given.notes !== undefined && { notes: given.notes }),
    plainHttp: given['plain-http'],
    json: given.json,
  }
}

// A host without a dot or a port would be read as a namespace of Docker's own registry.
const host = String.raw`(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::\d+)?|[A-Za-z0-9-]+:\d+)`
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
const component = String.raw`[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*`
const place = new RegExp(`^${host}(?:/${component})+$`)

function parseRegistry(text: string): string {
  if (place.test(text)) return text
  throw new UserError(
    `malformed --registry "${text}": write HOST/NAMESPACE, for example registry.example.org/nodes`,
  )
}

function parseShard(text: string): Shard {
  const [part, count] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).slice(1).map(Number)
  if (part === undefined || count === undefined || part < 1 || part > count) {
    throw new UserError(`malformed --shard "${text}": write PART/COUNT, for example 1/3`)
  }
  return { part, count }
}
