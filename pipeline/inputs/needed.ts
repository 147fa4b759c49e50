import type { Arch } from '../facts/platform.js'
import type { Facts } from '../facts/schema.js'
import type { ImageSpec } from '../plan/spec.js'
import { purposes } from './lock.js'

/** What locked files a build of these images needs, on a machine of the architecture `host`. */
export function purposesOf(specs: readonly ImageSpec[], facts: Facts, host: Arch): string[] {
  const needed = specs.flatMap((spec) => [
    ...spec.arches.flatMap((arch) => toolchainPurposes(host, arch)),
    ...partsOf(spec).flatMap((part) => facts.userland[part]?.sources.map(purposes.source) ?? []),
    ...(spec.components.some((component) => 'cgo' in component && component.cgo)
      ? [purposes.zig(host)]
      : []),
  ])
  return [...new Set([purposes.builder(host), ...needed])]
}

/** What a C toolchain for `target` is made of, beside the builder's root. */
export function toolchainPurposes(host: Arch, target: Arch): string[] {
  return [...(host === target ? [] : [purposes.compiler(host, target)]), purposes.target(target)]
}

/** The parts of the static userland that are compiled for an image. */
function partsOf({ root }: ImageSpec): readonly string[] {
  return root.kind === 'static' ? root.userland : root.parts
}
