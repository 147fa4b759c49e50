import { UserError } from '../facts/errors.js'
import { lookup } from '../facts/load.js'
import { platformOf } from '../facts/platform.js'
import type { Facts } from '../facts/schema.js'
import { planComponent } from './components.js'
import type { BuildRequest } from './request.js'
import type { AlpineRoot, ImageSpec, StaticRoot } from './spec.js'

/** Expands a request into the images it asks for, base by base. Pure. Throws a UserError when nothing matches. */
export function planImages(request: BuildRequest, facts: Facts): ImageSpec[] {
  const specs = request.bases.flatMap((base) =>
    request.images.flatMap((image) =>
      request.variants
        .filter((variant) => image in lookup('variant', facts.variants, variant).images)
        .map((variant) => planImage(request, facts, { base, image, variant })),
    ),
  )
  if (specs.length === 0) {
    throw new UserError(
      `no image "${request.images}" in variant "${request.variants}": see --plan without --variant for what there is`,
    )
  }
  return specs
}

function planImage(
  request: BuildRequest,
  facts: Facts,
  { base, image, variant }: { base: string; image: string; variant: string },
): ImageSpec {
  const { kubernetes, arches, compression } = request
  const imageFacts = lookup('image', facts.images, image)
  const { repository, commits } = facts.sources.kubernetes
  const commit = commits[kubernetes.version]
  const names = lookup('image', lookup('variant', facts.variants, variant).images, image)
  const components = names.map((name) => planComponent(kubernetes, facts, name))
  const hasCni = components.some(({ kind }) => kind === 'cni')
  const { cniFlags, userland } = lookup('minor', facts.kubernetes, kubernetes.minor)
  const parts = [...imageFacts.userland, ...(userland[image] ?? [])]
  const tag = [kubernetes.version, ...(variant === 'base' ? [] : [variant]), base].join('-')
  return {
    image,
    tag,
    kubernetes: kubernetes.version,
    base,
    variant,
    arches,
    platforms: arches.map((arch) => platformOf(arch).platform),
    compression,
    entrypoint: [...imageFacts.entrypoint, ...(hasCni ? cniFlags : [])],
    labels: {
      'org.opencontainers.image.title': image,
      'org.opencontainers.image.description': imageFacts.description,
      'org.opencontainers.image.version': kubernetes.version,
      'org.opencontainers.image.source': repository,
      ...(commit !== undefined && { 'org.opencontainers.image.revision': commit }),
      'org.opencontainers.image.base.name': 'scratch',
      'org.opencontainers.image.licenses': licenseExpression([
        ...lookup('base', facts.bases, base).licenses,
        ...parts.map((part) => lookup('part of the userland', facts.userland, part).license),
        ...components.map(({ license }) => license),
      ]),
    },
    root: planRoot(request, facts, base, parts),
    components,
    archive: `${image}-${tag}.oci.tar`,
  }
}

/** Everything in the image together, as an SPDX expression. */
function licenseExpression(licenses: readonly string[]): string {
  return [...new Set(licenses)].sort().join(' AND ')
}

/** The root with programs of `userland`, by their keys. */
function planRoot(
  request: BuildRequest,
  facts: Facts,
  base: string,
  userland: string[],
): StaticRoot | AlpineRoot {
  const baseFacts = lookup('base', facts.bases, base)
  if (baseFacts.kind === 'static') return { kind: 'static', userland }
  const { mirror, repositories, common, userland: packages } = facts.alpine
  const own = userland.flatMap((part) => lookup('part of Alpine', packages, part))
  // What Alpine has no package for is built from source, as for the static base.
  const parts = userland.filter((part) => lookup('part of Alpine', packages, part).length === 0)
  const world = [...new Set([...common, ...own, ...request.alpine.packages])].sort()
  return { kind: 'alpine', release: baseFacts.release, repositories, world, origin: mirror, parts }
}
