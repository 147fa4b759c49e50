import { UserError } from '../facts/errors.js'
import type { Facts } from '../facts/schema.js'
import { planImages } from '../plan/images.js'
import type { ImageSpec } from '../plan/spec.js'
import type { ReleaseRequest, Shard } from './request.js'

/** An image of a release, and its name in the registry. */
export interface ReleaseImage {
  spec: ImageSpec
  /** HOST/NAMESPACE/IMAGE, without the tag. */
  repository: string
}

/**
 * The images that a request releases, in an order that depends on nothing else. Pure.
 * Throws a UserError when nothing matches.
 */
export function planRelease(request: ReleaseRequest, facts: Facts): ReleaseImage[] {
  const { build, registry, stage } = request
  const specs = planImages(build, facts)
  const asked = typeof stage === 'string' ? specs : shardOf(specs, stage)
  return asked.map((spec) => ({ spec, repository: `${registry}/${spec.image}` }))
}

/** The images of one shard: those that share most of what is compiled stay together. */
function shardOf(specs: readonly ImageSpec[], { part, count }: Shard): ImageSpec[] {
  if (count > specs.length) {
    throw new UserError(`--shard ${part}/${count}: there are only ${specs.length} images`)
  }
  const main = ({ components }: ImageSpec) => components[0]?.name ?? ''
  const sorted = specs.toSorted((a, b) => main(a).localeCompare(main(b), 'en'))
  const end = (n: number) => Math.floor((n * specs.length) / count)
  return sorted.slice(end(part - 1), end(part))
}
