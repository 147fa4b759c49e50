import { UserError } from '../facts/errors.js'
import type { Variants } from '../facts/load.js'
import { parseArch } from '../facts/platform.js'
import {
  type BuildRequest,
  buildOptions,
  makeBuildRequest,
  oneOf,
  parseFlags,
} from '../plan/request.js'
import { defaultVariant } from '../recipe/request.js'

export const smokeModes = ['standalone', 'join', 'hardway'] as const
export type SmokeMode = (typeof smokeModes)[number]

const smokeRuntimes = ['ctr', 'nerdctl', 'docker'] as const

export interface Conformance {
  /** Regular expression for the names of cases; without it every case. */
  focus?: string
}

/** What `npm run smoke` was asked for. */
export interface SmokeRequest {
  mode: SmokeMode
  /** What runs the kubelet: a client of containerd, or Docker, which runs the pods too below v1.24. */
  runtime: (typeof smokeRuntimes)[number]
  /** The image of the kubelet, for the architecture of this machine. */
  build: BuildRequest
  /** Whether Kubernetes' own conformance tests run on the cluster of `join`. */
  conformance: false | Conformance
  json: boolean
}

export const smokeHelp = `Usage: npm run smoke -- --mode MODE [options]

Builds images, and runs nodes from them on this machine's containerd, in namespaces that end with the test.

  --mode MODE     standalone (static pods, no cluster), join (two nodes, by kubeadm init and kubeadm join) or
                  hardway (a node and a control plane with a CA and certificates of their own)
  --runtime NAME  ctr, nerdctl or docker: what runs the kubelet; below v1.24 docker runs the pods too (default: ctr)
  --k8s VERSION   Kubernetes release (default: v1.24.0)
  --base NAME     base of the images (default: static)
  --variant NAME  variant of the kubelet's image (default: cni; for join kubeadm-cni)
  --engine NAME   runner, docker or embedded (default: the first that is there)
  --conformance   join: run Kubernetes' own conformance tests too (about an hour)
  --focus REGEX   conformance: only cases with such a name
  --json          print what was checked as JSON
  --help          print this text

--alpine-mirror, --alpine-key, --alpine-lock and --apk are as for npm run build.
It needs Linux, root, containerd, runc and iproute2, and with docker Docker's engine. Exit status: 0 all is well, 1 something failed, 2 the request was wrong.
`

const { k8s, base, variant, engine, json, help, apk } = buildOptions
const options = {
  mode: { type: 'string' },
  runtime: { type: 'string' },
  conformance: { type: 'boolean', default: false },
  focus: { type: 'string' },
  ...{ k8s, base, variant, engine, apk, json, help },
  'alpine-mirror': buildOptions['alpine-mirror'],
  'alpine-key': buildOptions['alpine-key'],
  'alpine-lock': buildOptions['alpine-lock'],
} as const

/** Reads the arguments of `npm run smoke`; `help` when only the usage is wanted. Throws a UserError. */
export function parseSmokeRequest(args: readonly string[], facts: Variants): SmokeRequest | 'help' {
  const {
    mode: asked,
    runtime: client,
    conformance,
    focus,
    help,
    ...given
  } = parseFlags(args, options)
  if (help) return 'help'
  if (asked === undefined) {
    throw new UserError(`missing --mode: choose from ${smokeModes.join(', ')}`)
  }
  const mode = oneOf('mode', asked, smokeModes)
  const runtime = oneOf('runtime', client ?? 'ctr', smokeRuntimes)
  if (focus !== undefined && !conformance)
    throw new UserError('--focus chooses cases of --conformance: give both')
  if (conformance && mode !== 'join')
    throw new UserError(`--conformance needs a cluster: use it with --mode join, not ${mode}`)
  const build = makeBuildRequest(
    {
      ...given,
      k8s: given.k8s ?? 'v1.24.0',
      base: given.base ?? 'static',
      image: ['kubelet'],
      variant: given.variant ?? [defaultVariant(mode)],
      arch: [parseArch(process.arch)],
      // Docker below 23 reads no other.
      ...(runtime === 'docker' && { compression: 'gzip' }),
    },
    facts,
  )
  if (build.variants.length > 1)
    throw new UserError(`one --variant at a time: asked for ${build.variants.join(', ')}`)
  return {
    mode,
    conformance: conformance && { ...(focus && { focus }) },
    runtime,
    build,
    json: build.json,
  }
}
