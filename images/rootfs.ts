import type { Directory } from '@dagger.io/dagger'
import type { Builder } from '../pipeline/graph/debian.js'
import { packLayer } from '../pipeline/graph/pack.js'
import type { ImageSpec } from '../pipeline/plan.js'
import { type Arch, platformOf } from '../pipeline/platform.js'
import type { Variants } from '../pipeline/variants.js'
import { componentTree } from './components.js'
import { staticRoot } from './static/static.js'

/**
 * The packed layers of an image for one architecture, lowest first. Lazy.
 * The base is a layer of its own, so that images of several releases and variants share its blob.
 */
export function imageLayers(
  builder: Builder,
  facts: Variants,
  spec: ImageSpec,
  arch: Arch,
): { name: string; directory: Directory }[] {
  const platform = platformOf(arch)
  const layers = [
    { name: `${spec.base} base`, tree: staticRoot(builder, facts, spec.userland, platform) },
    ...spec.components.map((component) => ({
      name: component.name,
      tree: componentTree(builder, facts.sources, component, platform),
    })),
  ]
  return layers.map(({ name, tree }) => ({
    name,
    directory: packLayer(builder, tree, { platform, compression: spec.compression }),
  }))
}
