import { UserError } from '../facts/errors.js'
import type { Facts } from '../facts/schema.js'
import { type BuildRequest, type BuildValues, makeBuildRequest } from '../plan/request.js'

/** What to release. */
export interface ReleaseRequest {
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

/** What may be said of a release, as it was given: no word of it checked yet. */
export interface ReleaseValues extends BuildValues {
  registry?: string | undefined
  shard?: string | undefined
  tags?: boolean | undefined
  notes?: string | undefined
  dryRun?: boolean | undefined
  plainHttp?: boolean | undefined
}

/** Checks every word of what is asked for. Throws a UserError. */
export function makeReleaseRequest(given: ReleaseValues, facts: Facts): ReleaseRequest {
  // A release is of every base, and never skips one.
  const build = makeBuildRequest({ ...given, base: given.base ?? Object.keys(facts.bases) }, facts)
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
    dryRun: given.dryRun ?? false,
    ...(given.notes !== undefined && { notes: given.notes }),
    plainHttp: given.plainHttp ?? false,
    json: build.json,
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
