import type { Directory } from '@dagger.io/dagger'
import { type Arch, type Platform, platformOf } from '../facts/platform.js'
import type { Facts } from '../facts/schema.js'
import { type ImageSpec, layerNames } from '../plan/spec.js'
import { alpineRoot } from './alpine-root.js'
import type { Builder } from './builder.js'
import { componentTree } from './component.js'
import { packLayer } from './layer.js'
import { staticRoot, withParts } from './static-root.js'

/**
 * The packed layers of an image for one architecture, lowest first. Lazy.
 * The base is a layer of its own, so that images of several releases and variants share its blob.
 * `packages` are those of an Alpine base.
 */
export function imageLayers(
  builder: Builder,
  facts: Facts,
  spec: ImageSpec,
  arch: Arch,
  packages?: Directory,
): { name: string; directory: Directory }[] {
  const platform = platformOf(arch)
  const { compression } = spec
  const base = packLayer(builder, baseTree(builder, facts, spec, platform, packages), {
    platform,
    compression,
    stripped: spec.root.kind === 'static',
  })
  const components = spec.components.map((component) => {
    const tree = componentTree(builder, component, platform)
    return packLayer(builder, tree, { platform, compression })
  })
  const names = layerNames(spec)
  return [base, ...components].map((directory, i) => ({ name: names[i] as string, directory }))
}

function baseTree(
  builder: Builder,
  facts: Facts,
  { root }: ImageSpec,
  platform: Platform,
  packages?: Directory,
): Directory {
  switch (root.kind) {
    case 'static':
      return staticRoot(builder, facts, root.userland, platform)
    case 'alpine':
      if (packages === undefined) throw new Error('an Alpine root needs packages')
      return withParts(
        builder,
        facts,
        alpineRoot(builder, facts.sources, root, packages, platform),
        root.parts,
        platform,
      )
  }
}
