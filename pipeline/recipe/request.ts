import { UserError } from '../facts/errors.js'
import { parseKubernetesVersion } from '../facts/kubernetes-version.js'
import type { KubernetesFacts, Variants } from '../facts/load.js'
import { planImages } from '../plan/images.js'
import { makeBuildRequest, oneOf, parseFlags } from '../plan/request.js'
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

export const recipeHelp = `Usage: npm run recipe -- --mode MODE --k8s VERSION [options]

Prints what to do on a fresh machine with containerd, in order and ready to be pasted, to run a node from an image.

  --mode MODE             standalone (static pods, no cluster), init and join (first and next nodes of a cluster, by
                          kubeadm) or hardway (a node with a CA and certificates of your own)
  --k8s VERSION           Kubernetes release, v1.22.0 or later
  --runtime NAME          ctr, nerdctl, docker or systemd: what runs the kubelet (default: ctr)
  --base NAME             base of the image (default: static)
  --variant NAME          variant of the image (default: cni; for init and join kubeadm-cni)
  --image REF             image in a registry (default: the archive that npm run build writes)
  --kubeadm-image REF     init, join: image with kubeadm (default: --image, or variant kubeadm where it has none)
  --network NAME          bridge, flannel (its DaemonSet comes later) or none (default: flannel for that variant in a
                          cluster, none for images without CNI plugins, else bridge)
  --output DIR            where the archive is (default: dist)
  --host-path DIR         directory that pods mount as a hostPath volume with a type, or below a sub path; repeatable
  --pause-image REF       image of pod sandboxes (default: registry.k8s.io/pause:3.10)
  --pod-cidr CIDR         addresses for the pods of this node (default: 10.244.0.0/24); init: of all nodes, of which this
                          one takes the first 256 (default: 10.244.0.0/16)
  --image-repository REF  init: where the control plane's images come from (default: registry.k8s.io)
  --skip-phases LIST      init: phases of kubeadm to leave out, for example addon/coredns
  --server HOST:PORT      join, hardway: the API server
  --token TOKEN           join: a bootstrap token, and
  --ca-cert-hash HASH     join: the hash of the CA, as kubeadm token create --print-join-command prints them
  --help                  print this text

Exit status: 0 done, 2 the request was wrong.
`

const flag = { type: 'string' } as const
const options = {
  ...{ mode: flag, k8s: flag, runtime: flag, base: flag, variant: flag, image: flag },
  ...{ 'kubeadm-image': flag, network: flag },
  'host-path': { type: 'string', multiple: true },
  ...{ output: flag, 'pause-image': flag, 'pod-cidr': flag, 'image-repository': flag },
  ...{ 'skip-phases': flag, server: flag, token: flag, 'ca-cert-hash': flag },
  help: { type: 'boolean' },
} as const

/** What may be said of a recipe, as it was given: no word of it checked yet. */
export type RecipeValues = Omit<ReturnType<typeof parseFlags<typeof options>>, 'help'>

/** Flags that only some modes have. */
const modesOf: Partial<Record<keyof RecipeValues, readonly RecipeMode[]>> = {
  'kubeadm-image': ['init', 'join'],
  'image-repository': ['init'],
  'skip-phases': ['init'],
  server: ['join', 'hardway'],
  token: ['join'],
  'ca-cert-hash': ['join'],
}

/** Reads the arguments of `npm run recipe`; `help` when only the usage is wanted. Throws a UserError. */
export function parseRecipeRequest(
  args: readonly string[],
  facts: Variants,
): RecipeRequest | 'help' {
  const { help, ...values } = parseFlags(args, options)
  return help ? 'help' : makeRecipeRequest(values, facts)
}

/** Checks every value by its shape, and looks up what the release needs. Throws a UserError. */
export function makeRecipeRequest(given: RecipeValues, facts: Variants): RecipeRequest {
  if (given.mode === undefined) {
    throw new UserError(`missing --mode: choose from ${recipeModes.join(', ')}`)
  }
  const mode = oneOf('mode', given.mode, recipeModes)
  verifyMode(given, mode)
  const runtime = oneOf('runtime', given.runtime ?? 'ctr', runtimes)
  const { k8s, variant = defaultVariant(mode) } = given
  if (k8s === undefined)
    throw new UserError('missing --k8s: name the Kubernetes release, for example --k8s v1.24.0')
  const kubernetes = parseKubernetesVersion(k8s, Object.keys(facts.kubernetes))
  const output = path('--output', given.output ?? 'dist')
  const image = optional(imageReference, '--image', given.image)
  const kubeadmImage = optional(imageReference, '--kubeadm-image', given['kubeadm-image'])
  const images = { k8s, variant, base: given.base, output, image, kubeadmImage }
  const spec = planKubelet(images, facts)
  const hasCni = spec.components.some(({ kind }) => kind === 'cni')
  const network = chooseNetwork(mode, variant, hasCni, given.network)
  const { cniFlags, runtimeFlags, dockershim, kubeletConfig, kubeadmApi } = facts.kubernetes[
    kubernetes.minor
  ] as KubernetesFacts
  const byDocker = runtime === 'docker' && dockershim
  const pauseImage = imageReference(
    '--pause-image',
    given['pause-image'] ?? 'registry.k8s.io/pause:3.10',
  )
  const repository = optional(imageRepository, '--image-repository', given['image-repository'])
  return {
    mode,
    runtime,
    kubernetes: kubernetes.version,
    image: imageSource(spec, output, image),
    kubeadmImage: kubeadmSource(images, facts),
    network,
    dockershim: byDocker,
    hostPaths: (given['host-path'] ?? []).map((text) => absolutePath('--host-path', text)),
    entrypoint: spec.entrypoint,
    kubeletFlags: byDocker
      ? [
          '--docker-endpoint=unix:///run/docker.sock',
          `--pod-infra-container-image=${pauseImage}`,
          ...(hasCni ? cniFlags : []),
        ]
      : [...runtimeFlags, `--container-runtime-endpoint=${criSocket}`],
    kubeletConfig,
    kubeadmApi,
    pauseImage,
    ...podRanges(mode, optional(cidr, '--pod-cidr', given['pod-cidr'])),
    ...(repository !== undefined && { imageRepository: repository }),
    skipPhases: optional(phases, '--skip-phases', given['skip-phases']) ?? [],
    server: optional(hostAndPort, '--server', given.server) ?? 'HOST:6443',
    token: optional(bootstrapToken, '--token', given.token) ?? 'TOKEN',
    caCertHash: optional(caHash, '--ca-cert-hash', given['ca-cert-hash']) ?? 'sha256:HASH',
  }
}

/** Throws a UserError for a flag that the mode does not have. */
function verifyMode(given: RecipeValues, mode: RecipeMode): void {
  for (const [name, modes] of Object.entries(modesOf)) {
    if (given[name as keyof RecipeValues] === undefined || modes.includes(mode)) continue
    throw new UserError(
      `--${name} is for --mode ${modes.join(' and ')}, not for ${mode}: leave it out`,
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

function planKubelet({ k8s, base = 'static', variant }: ImageValues, facts: Variants): ImageSpec {
  const values = { k8s, base, variant: [variant], image: ['kubelet'] }
  const [spec, ...more] = planImages(makeBuildRequest(values, facts), facts)
  if (spec === undefined || more.length > 0) throw new Error('a recipe is for one image')
  return spec
}

function imageSource(spec: ImageSpec, output: string, ref: string | undefined): ImageSource {
  return ref === undefined ? { ref: localRef(spec), archive: `${output}/${spec.archive}` } : { ref }
}

function kubeadmSource(values: ImageValues, facts: Variants): ImageSource {
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
    if (variant === 'flannel' && byKubeadm(mode)) return 'flannel'
    return hasCni ? 'bridge' : 'none'
  }
  const network = oneOf('network', asked, networks)
  if (network === 'none' || hasCni) return network
  throw new UserError(
    `--network ${network} needs CNI plugins, and variant "${variant}" has none: use flannel, cni or kubeadm-cni`,
  )
}
