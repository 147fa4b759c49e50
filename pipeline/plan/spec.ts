import type { Arch } from '../facts/platform.js'
import type { Packing } from '../facts/schema.js'

export type Compression = 'zstd' | 'gzip'

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

/** The names of the layers of an image, lowest first. */
export function layerNames({ base, components }: Pick<ImageSpec, 'base' | 'components'>): string[] {
  return [`${base} base`, ...components.map(({ name }) => name)]
}
