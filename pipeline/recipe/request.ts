import { isIPv4 } from 'node:net'
import { UserError } from '../facts/errors.js'
import { parseKubernetesVersion } from '../facts/kubernetes-version.js'
import type { KubernetesFacts, Variants } from '../facts/load.js'
import { planImages } from '../plan/images.js'
import { type BuildRequest, oneOf, parseBuildRequest, parseFlags } from '../plan/request.js'
import { type ImageSpec, localRef } from '../plan/spec.js'
import { type Runtime, runtimes } from './container.js'
import { criSocket } from './sockets.js'

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
  --pod-cidr CIDR         addresses for the pods of this node (default: 10.244.0.0/24)
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

/** Reads the arguments of `npm run recipe`; `help` when only the usage is wanted. Throws a UserError. */
export function parseRecipeRequest(
  args: readonly string[],
  facts: Variants,
): RecipeRequest | 'help' {
  const given = parseFlags(args, options)
  if (given.help) return 'help'
  if (given.mode === undefined) {
    throw new UserError(`missing --mode: choose from ${recipeModes.join(', ')}`)
  }
  const mode = oneOf('mode', given.mode, recipeModes)
  const runtime = oneOf('runtime', given.runtime ?? 'ctr', runtimes)
  const { k8s, variant = defaultVariant(mode) } = given
  if (k8s === undefined)
    throw new UserError('missing --k8s: name the Kubernetes release, for example --k8s v1.24.0')
  const kubernetes = parseKubernetesVersion(k8s, Object.keys(facts.kubernetes))
  const spec = planKubelet({ ...given, k8s, variant }, facts)
  const hasCni = spec.components.some(({ kind }) => kind === 'cni')
  const network = chooseNetwork(mode, variant, hasCni, given.network)
  const { cniFlags, runtimeFlags, dockershim, kubeletConfig, kubeadmApi } = facts.kubernetes[
    kubernetes.minor
  ] as KubernetesFacts
  const byDocker = runtime === 'docker' && dockershim
  const pauseImage = given['pause-image'] ?? 'registry.k8s.io/pause:3.10'
  return {
    mode,
    runtime,
    kubernetes: kubernetes.version,
    image: imageSource(spec, given.output, given.image),
    kubeadmImage: kubeadmSource({ ...given, k8s, variant }, facts),
    network,
    dockershim: byDocker,
    hostPaths: (given['host-path'] ?? []).map(absolutePath),
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
    podCidr: cidr('pod-cidr', given['pod-cidr'] ?? '10.244.0.0/24'),
    clusterCidr: '10.244.0.0/16',
    ...(given['image-repository'] !== undefined && { imageRepository: given['image-repository'] }),
    skipPhases: given['skip-phases']?.split(',') ?? [],
    server: given.server ?? 'HOST:6443',
    token: given.token ?? 'TOKEN',
    caCertHash: given['ca-cert-hash'] ?? 'sha256:HASH',
  }
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

interface ImageFlags {
  k8s: string
  variant: string
  base?: string | undefined
  output?: string | undefined
  image?: string | undefined
  'kubeadm-image'?: string | undefined
}

function planKubelet({ k8s, base = 'static', variant }: ImageFlags, facts: Variants): ImageSpec {
  const flags = ['--k8s', k8s, '--base', base, '--variant', variant, '--image', 'kubelet']
  const [spec, ...more] = planImages(parseBuildRequest(flags, facts) as BuildRequest, facts)
  if (spec === undefined || more.length > 0) throw new Error('a recipe is for one image')
  return spec
}

function imageSource(spec: ImageSpec, output = 'dist', ref?: string): ImageSource {
  return ref === undefined ? { ref: localRef(spec), archive: `${output}/${spec.archive}` } : { ref }
}

function kubeadmSource(flags: ImageFlags, facts: Variants): ImageSource {
  const variant = kubeadmVariant(flags.variant)
  const ref = flags['kubeadm-image'] ?? (variant === flags.variant ? flags.image : undefined)
  return imageSource(planKubelet({ ...flags, variant }, facts), flags.output, ref)
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

function absolutePath(text: string): string {
  if (/^(\/[\w.+@-]+)+$/.test(text)) return text
  throw new UserError(`malformed --host-path "${text}": write a directory like /srv/data`)
}

/** IPv4 addresses as CNI's host-local wants them. */
function cidr(name: string, text: string): string {
  const [address = '', length = '', ...rest] = text.split('/')
  const valid = isIPv4(address) && /^\d+$/.test(length) && Number(length) <= 30 && rest.length === 0
  if (!valid) throw new UserError(`malformed --${name} "${text}": write it like 10.244.0.0/24`)
  return text
}
