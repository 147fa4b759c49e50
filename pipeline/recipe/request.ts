import { isIPv4 } from 'node:net'
import { parseArgs } from 'node:util'
import { messageOf, UserError } from '../errors.js'
import { parseKubernetesVersion } from '../kubernetes.js'
import { localRef, planImages } from '../plan.js'
import { oneOf, parseBuildRequest, verifyFlags } from '../request.js'
import type { KubernetesFacts, Variants } from '../variants.js'
import { type Runtime, runtimes } from './container.js'
import { criSocket } from './steps.js'

export const recipeModes = ['standalone', 'init', 'join', 'hardway'] as const
export type RecipeMode = (typeof recipeModes)[number]

/** Everything that a recipe is made of; no field is looked up later. */
export interface RecipeRequest {
  mode: RecipeMode
  runtime: Runtime
  kubernetes: string
  image: string
  /** The archive that holds the image, where it comes from no registry. */
  archive?: string
  /** Whether CNI plugins are in the image; else the network of pods is left to whoever has them. */
  cni: boolean
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
  --output DIR            where the archive is (default: dist)
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
  ...{ output: flag, 'pause-image': flag, 'pod-cidr': flag, 'image-repository': flag },
  ...{ 'skip-phases': flag, server: flag, token: flag, 'ca-cert-hash': flag },
  help: { type: 'boolean' },
} as const

/** Reads the arguments of `npm run recipe`; `help` when only the usage is wanted. Throws a UserError. */
export function parseRecipeRequest(
  args: readonly string[],
  facts: Variants,
): RecipeRequest | 'help' {
  const given = parseFlags(args)
  if (given.help) return 'help'
  if (given.mode === undefined) {
    throw new UserError(`missing --mode: choose from ${recipeModes.join(', ')}`)
  }
  const mode = oneOf('mode', given.mode, recipeModes)
  const runtime = oneOf('runtime', given.runtime ?? 'ctr', runtimes)
  const { k8s, base = 'static', variant = defaultVariant(mode) } = given
  if (k8s === undefined)
    throw new UserError('missing --k8s: name the Kubernetes release, for example --k8s v1.24.0')
  const kubernetes = parseKubernetesVersion(k8s, Object.keys(facts.kubernetes))
  const flags = ['--k8s', k8s, '--base', base, '--variant', variant, '--image', 'kubelet']
  const request = parseBuildRequest(flags, facts)
  if (request === 'help') return 'help'
  const [spec] = planImages(request, facts)
  if (spec === undefined) throw new Error('a recipe is for one image')
  verifyVariant(mode, variant)
  const { runtimeFlags, kubeletConfig, kubeadmApi } = facts.kubernetes[
    kubernetes.minor
  ] as KubernetesFacts
  return {
    mode,
    runtime,
    kubernetes: kubernetes.version,
    image: given.image ?? localRef(spec),
    ...(given.image === undefined && { archive: `${given.output ?? 'dist'}/${spec.archive}` }),
    cni: spec.components.some(({ kind }) => kind === 'cni'),
    entrypoint: spec.entrypoint,
    kubeletFlags: [...runtimeFlags, `--container-runtime-endpoint=${criSocket}`],
    kubeletConfig,
    kubeadmApi,
    pauseImage: given['pause-image'] ?? 'registry.k8s.io/pause:3.10',
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

/** Throws a UserError when a mode needs kubeadm and the variant has none. */
export function verifyVariant(mode: RecipeMode, variant: string): void {
  if (!byKubeadm(mode) || variant.startsWith('kubeadm')) return
  throw new UserError(
    `--mode ${mode} runs kubeadm, and variant "${variant}" has none: use kubeadm or kubeadm-cni`,
  )
}

function byKubeadm(mode: RecipeMode): boolean {
  return mode === 'init' || mode === 'join'
}

function parseFlags(args: readonly string[]) {
  const known = Object.keys(options).map((name) => `--${name}`)
  verifyFlags(args, known)
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw new UserError(`${messageOf(error).split('\n')[0]}; see --help`, { cause: error })
  }
}

/** IPv4 addresses as CNI's host-local wants them. */
function cidr(name: string, text: string): string {
  const [address = '', length = '', ...rest] = text.split('/')
  const valid = isIPv4(address) && /^\d+$/.test(length) && Number(length) <= 30 && rest.length === 0
  if (!valid) throw new UserError(`malformed --${name} "${text}": write it like 10.244.0.0/24`)
  return text
}
