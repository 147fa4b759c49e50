import { oneOf } from '../facts/closed-set.js'
import { UserError } from '../facts/errors.js'
import { flagOf } from '../facts/flags.js'
import { parseKubernetesVersion } from '../facts/kubernetes-version.js'
import type { Facts, KubernetesFacts } from '../facts/schema.js'
import { planImages } from '../plan/images.js'
import { makeBuildRequest, missingRelease } from '../plan/request.js'
import { type ImageSpec, localRef } from '../plan/spec.js'
import { type Runtime, runtimes } from './container.js'
import { criSocket } from './sockets.js'
import {
  absolutePath,
  bootstrapToken,
  caHash,
  cidr,
  firstNodeRange,
  hostAndPort,
  imageReference,
  imageRepository,
  path,
  phases,
} from './values.js'

export const recipeModes = ['standalone', 'init', 'join', 'hardway'] as const
export type RecipeMode = (typeof recipeModes)[number]

/** Where an image comes from: a registry, or the archive that holds it. */
export interface ImageSource {
  ref: string
  archive?: string
}

export const networks = ['bridge', 'flannel', 'none'] as const

/**
 * Who connects the pods of a node: a bridge that the recipe sets up, flannel's DaemonSet, which finds the plugins that it
 * needs, or somebody else who brings everything.
 */
export type Network = (typeof networks)[number]

/** Everything that a recipe is made of; no field is looked up later. */
export interface RecipeRequest {
  mode: RecipeMode
  runtime: Runtime
  kubernetes: string
  /** Print what looks at a machine, and not the recipe. */
  check: boolean
  /** Oldest major of containerd that the release runs pods on. */
  containerd: number
  /** What the kubelet runs from. */
  image: ImageSource
  /** What kubeadm runs from: the same image, if it is in there. */
  kubeadmImage: ImageSource
  network: Network
  /** Pods are Docker's own, by the dockershim that kubelets below v1.24 have, and not containerd's. */
  dockershim: boolean
  /** Directories of the node that the kubelet must see as pods do. */
  hostPaths: readonly string[]
  entrypoint: readonly string[]
  /** Flags beside the entrypoint by which this release reaches containerd. */
  kubeletFlags: readonly string[]
  /** Fields of KubeletConfiguration that this release needs. */
  kubeletConfig: Readonly<Record<string, unknown>>
  /** Version of kubeadm's configuration. */
  kubeadmApi: string
  pauseImage: string
  /** Addresses of the pods of this node, and of all nodes. */
  podCidr: string
  clusterCidr: string
  /** Where the images of the control plane come from, where not from Kubernetes' registry. */
  imageRepository?: string
  skipPhases: readonly string[]
  /** Of the cluster to join; placeholders where they are not given. */
  server: string
  token: string
  caCertHash: string
}

/** What may be said of a recipe, as it was given: no word of it checked yet. */
export interface RecipeValues {
  mode?: string | undefined
  check?: boolean | undefined
  k8s?: string | undefined
  runtime?: string | undefined
  base?: string | undefined
  variant?: string | undefined
  image?: string | undefined
  kubeadmImage?: string | undefined
  network?: string | undefined
  output?: string | undefined
  hostPath?: string[] | undefined
  pauseImage?: string | undefined
  podCidr?: string | undefined
  imageRepository?: string | undefined
  skipPhases?: string | undefined
  server?: string | undefined
  token?: string | undefined
  caCertHash?: string | undefined
}

/** Flags that only some modes have. */
const modesOf: Partial<Record<keyof RecipeValues, readonly RecipeMode[]>> = {
  kubeadmImage: ['init', 'join'],
  imageRepository: ['init'],
  skipPhases: ['init'],
  server: ['join', 'hardway'],
  token: ['join'],
  caCertHash: ['join'],
}

/** Checks every value by its shape, and looks up what the release needs. Throws a UserError. */
export function makeRecipeRequest(given: RecipeValues, facts: Facts): RecipeRequest {
  if (given.mode === undefined) {
    throw new UserError(`missing --mode: choose from ${recipeModes.join(', ')}`)
  }
  const mode = oneOf('mode', given.mode, recipeModes)
  verifyMode(given, mode)
  const runtime = oneOf('runtime', given.runtime ?? 'ctr', runtimes)
  const { k8s, variant = defaultVariant(mode) } = given
  if (k8s === undefined) throw missingRelease()
  const kubernetes = parseKubernetesVersion(k8s, Object.keys(facts.kubernetes))
  const output = path('--output', given.output ?? 'dist')
  const image = optional(imageReference, '--image', given.image)
  const kubeadmImage = optional(imageReference, '--kubeadm-image', given.kubeadmImage)
  const images = { k8s, variant, base: given.base, output, image, kubeadmImage }
  const spec = planKubelet(images, facts)
  const hasCni = spec.components.some(({ kind }) => kind === 'cni')
  const network = chooseNetwork(mode, variant, hasCni, given.network)
  const { cniFlags, runtimeFlags, dockershim, kubeletConfig, kubeadmApi, namesSandboxImage } = facts
    .kubernetes[kubernetes.minor] as KubernetesFacts
  const byDocker = runtime === 'docker' && dockershim
  const pauseImage = imageReference(
    '--pause-image',
    given.pauseImage ?? 'registry.k8s.io/pause:3.10',
  )
  const repository = optional(imageRepository, '--image-repository', given.imageRepository)
  return {
    mode,
    runtime,
    kubernetes: kubernetes.version,
    check: given.check ?? false,
    containerd: facts.kubernetes[kubernetes.minor]?.containerd ?? 1,
    image: imageSource(spec, output, image),
    kubeadmImage: kubeadmSource(images, facts),
    network,
    dockershim: byDocker,
    hostPaths: (given.hostPath ?? []).map((text) => absolutePath('--host-path', text)),
    entrypoint: spec.entrypoint,
    kubeletFlags: byDocker
      ? [
          '--docker-endpoint=unix:///run/docker.sock',
          `--pod-infra-container-image=${pauseImage}`,
          ...(hasCni ? cniFlags : []),
        ]
      : [
          ...runtimeFlags,
          `--container-runtime-endpoint=${criSocket}`,
          ...(namesSandboxImage ? [`--pod-infra-container-image=${pauseImage}`] : []),
        ],
    kubeletConfig,
    kubeadmApi,
    pauseImage,
    ...podRanges(mode, optional(cidr, '--pod-cidr', given.podCidr)),
    ...(repository !== undefined && { imageRepository: repository }),
    skipPhases: optional(phases, '--skip-phases', given.skipPhases) ?? [],
    server: optional(hostAndPort, '--server', given.server) ?? 'HOST:6443',
    token: optional(bootstrapToken, '--token', given.token) ?? 'TOKEN',
    caCertHash: optional(caHash, '--ca-cert-hash', given.caCertHash) ?? 'sha256:HASH',
  }
}

/** Throws a UserError for a flag that the mode does not have. */
function verifyMode(given: RecipeValues, mode: RecipeMode): void {
  for (const [name, modes] of Object.entries(modesOf)) {
    if (given[name as keyof RecipeValues] === undefined || modes.includes(mode)) continue
    throw new UserError(
      `${flagOf(name)} is for --mode ${modes.join(' and ')}, not for ${mode}: leave it out`,
    )
  }
}

function optional<T>(
  check: (flag: string, text: string) => T,
  flag: string,
  text: string | undefined,
): T | undefined {
  return text === undefined ? undefined : check(flag, text)
}

/** The first node of a cluster names the range of all of them, and takes its beginning; any other names its own. */
function podRanges(mode: RecipeMode, asked: string | undefined) {
  const clusterCidr = mode === 'init' && asked !== undefined ? asked : '10.244.0.0/16'
  const podCidr = mode === 'init' ? firstNodeRange(clusterCidr) : (asked ?? '10.244.0.0/24')
  return { clusterCidr, podCidr }
}

/** The variant with everything that a mode needs. */
export function defaultVariant(mode: RecipeMode): string {
  return byKubeadm(mode) ? 'kubeadm-cni' : 'cni'
}

/** The variant that kubeadm comes from for a kubelet of another. */
export function kubeadmVariant(variant: string): string {
  return variant.startsWith('kubeadm') ? variant : 'kubeadm'
}

/** Whether kubeadm makes the node. */
export function byKubeadm(mode: RecipeMode): boolean {
  return mode === 'init' || mode === 'join'
}

interface ImageValues {
  k8s: string
  variant: string
  base: string | undefined
  output: string
  image: string | undefined
  kubeadmImage: string | undefined
}

function planKubelet({ k8s, base = 'static', variant }: ImageValues, facts: Facts): ImageSpec {
  const values = { k8s, base: [base], variant: [variant], image: ['kubelet'] }
  const [spec, ...more] = planImages(makeBuildRequest(values, facts), facts)
  if (spec === undefined || more.length > 0) throw new Error('a recipe is for one image')
  return spec
}

function imageSource(spec: ImageSpec, output: string, ref: string | undefined): ImageSource {
  return ref === undefined ? { ref: localRef(spec), archive: `${output}/${spec.archive}` } : { ref }
}

function kubeadmSource(values: ImageValues, facts: Facts): ImageSource {
  const variant = kubeadmVariant(values.variant)
  const ref = values.kubeadmImage ?? (variant === values.variant ? values.image : undefined)
  return imageSource(planKubelet({ ...values, variant }, facts), values.output, ref)
}

function chooseNetwork(
  mode: RecipeMode,
  variant: string,
  hasCni: boolean,
  asked: string | undefined,
): Network {
  if (asked === undefined) {
    // The network of a cluster is one for all of its nodes.
    if (byKubeadm(mode)) return variant === 'flannel' ? 'flannel' : 'none'
    return hasCni ? 'bridge' : 'none'
  }
  const network = oneOf('network', asked, networks)
  if (network === 'none' || hasCni) return network
  throw new UserError(
    `--network ${network} needs CNI plugins, and variant "${variant}" has none: use flannel, cni or kubeadm-cni`,
  )
}
