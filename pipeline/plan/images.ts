import semver from 'semver'
import { UserError } from '../facts/errors.js'
import type { KubernetesVersion } from '../facts/kubernetes-version.js'
import type { Packing, Variants } from '../facts/load.js'
import { type Arch, platformOf } from '../facts/platform.js'
import { staticBase } from './alpine-lock.js'
import type { BuildRequest, Compression } from './request.js'

/** One image of one release: what goes into it and what it is called. Pure data, the same for every engine. */
export interface ImageSpec {
  image: string
  tag: string
  kubernetes: string
  base: string
  variant: string
  arches: Arch[]
  /** OCI platforms, in the order of `arches`. */
  platforms: string[]
  compression: Compression
  entrypoint: string[]
  /** OCI labels. */
  labels: Record<string, string>
  /** What is below the components. */
  root: StaticRoot | AlpineRoot
  /** What is laid over the base, in order. */
  components: ComponentSpec[]
  /** File name of the archive in the output directory. */
  archive: string
}

/** A root of statically linked programs. */
export interface StaticRoot {
  kind: 'static'
  /** Programs in it, as keys of `userland` in variants.json, in order. */
  userland: string[]
}

/** A root of Alpine packages. */
export interface AlpineRoot {
  kind: 'alpine'
  release: string
  repositories: string[]
  /** The packages asked for, sorted. */
  world: string[]
  /** Alpine's own mirror, which the image names whatever mirror it was built from. */
  origin: string
  /** Parts of the static userland that are laid over it, as keys of `userland` in variants.json. */
  parts: string[]
}

/** A layer above the base, and how it is compiled and packed. */
export type ComponentSpec =
  | KubernetesComponent
  | CniComponent
  | CrictlComponent
  | UpstreamComponent
  | ConformanceComponent

interface Component {
  name: string
  /** SPDX identifier. */
  license: string
  /** Go release that compiles it. */
  go: string
  packing: Packing
  /** A command that starts the program and ends at once, and the milliseconds that it may take; a daemon has none. */
  start?: { command: string[]; budget: number } | undefined
}

/** Programs of Kubernetes, several of them as one binary. */
export interface KubernetesComponent extends Component {
  kind: 'kubernetes'
  programs: string[]
  directory: string
  kubernetes: string
  /** Git commit of the release, where it is known beforehand. */
  commit?: string
  cgo: boolean
  linker: 'small' | 'go'
  tags: string[]
  gcflags: string[]
}

/** CNI plugins as one binary. */
export interface CniComponent extends Component {
  kind: 'cni'
  plugins: string[]
  version: string
  /** Release with the plugin flannel, which later ones dropped. */
  flannel: string
}

export interface CrictlComponent extends Component {
  kind: 'crictl'
  version: string
}

/** The programs of another project, as its own go.mod builds them. */
export interface UpstreamComponent extends Component {
  kind: 'upstream'
  /** Path of the Go module. */
  module: string
  version: string
  /** Package by name of the program. */
  programs: Record<string, string>
  directory: string
  stamp?: string | undefined
  without?: { file: string; lines: string } | undefined
  files?: string[] | undefined
}

/** Kubernetes' own end-to-end tests. */
export interface ConformanceComponent extends Component {
  kind: 'conformance'
  kubernetes: string
}

/** The name under which runtimes know an image that no registry holds. */
export function localRef({ image, tag }: Pick<ImageSpec, 'image' | 'tag'>): string {
  return `localhost/${image}:${tag}`
}

/**
 * Expands a request into the images it asks for. Pure. Throws a UserError when nothing matches.
 * Scripts choose a base where the request names none; without that it is the static one.
 */
export function planImages(request: BuildRequest, facts: Variants): ImageSpec[] {
  const specs = request.images.flatMap((image) =>
    request.variants
      .filter((variant) => image in entry(facts.variants, variant).images)
      .map((variant) => planImage(request, facts, image, variant)),
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
  facts: Variants,
  image: string,
  variant: string,
): ImageSpec {
  const { kubernetes, base = staticBase(facts), arches, compression } = request
  const imageFacts = entry(facts.images, image)
  const { repository, commits } = facts.sources.kubernetes
  const commit = commits[kubernetes.version]
  const names = entry(entry(facts.variants, variant).images, image)
  const components = names.map((name) => planComponent(kubernetes, facts, name))
  const hasCni = components.some(({ kind }) => kind === 'cni')
  const { cniFlags, userland } = entry(facts.kubernetes, kubernetes.minor)
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
        ...entry(facts.bases, base).licenses,
        ...parts.map((part) => entry(facts.userland, part).license),
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
  facts: Variants,
  base: string,
  userland: string[],
): StaticRoot | AlpineRoot {
  const baseFacts = entry(facts.bases, base)
  if (baseFacts.kind === 'static') return { kind: 'static', userland }
  const { mirror, repositories, common, userland: packages } = facts.alpine
  const own = userland.flatMap((part) => entry(packages, part))
  // What Alpine has no package for is built from source, as for the static base.
  const parts = userland.filter((part) => entry(packages, part).length === 0)
  const world = [...new Set([...common, ...own, ...request.alpine.packages])].sort()
  return { kind: 'alpine', release: baseFacts.release, repositories, world, origin: mirror, parts }
}

/** A component of a release, by its key in variants.json. */
export function planComponent(
  kubernetes: KubernetesVersion,
  facts: Variants,
  name: string,
): ComponentSpec {
  const component = entry(facts.components, name)
  const { commits } = facts.sources.kubernetes
  switch (component.kind) {
    case 'kubernetes': {
      const commit = commits[kubernetes.version]
      return {
        name,
        ...component,
        kubernetes: kubernetes.version,
        ...(commit !== undefined && { commit }),
        go: goRelease(kubernetes, facts),
      }
    }
    case 'conformance': {
      const go = goRelease(kubernetes, facts)
      return { name, ...component, kubernetes: kubernetes.version, go }
    }
    case 'cni':
      return { name, ...component, ...facts.sources.cni }
    case 'crictl': {
      const version = entry(facts.kubernetes, kubernetes.minor).crictl
      return { name, ...component, version, go: entry(facts.sources.crictl, version) }
    }
    case 'upstream':
      return { name, ...component }
  }
}

/** The Go release for a Kubernetes release: upstream moves to a newer Go minor within a Kubernetes minor. */
function goRelease({ version, minor }: KubernetesVersion, facts: Variants): string {
  const go = entry(facts.kubernetes, minor).go
  const first = semver.rsort(Object.keys(go)).find((patch) => semver.lte(patch, version))
  return entry(go, first as string)
}

/** Keys in a plan were checked with the request and with variants.json. */
function entry<T>(table: Record<string, T>, key: string): T {
  return table[key] as T
}
