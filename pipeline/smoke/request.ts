import { UserError } from '../facts/errors.js'
import type { Variants } from '../facts/load.js'
import { parseArch } from '../facts/platform.js'
import { type BuildRequest, oneOf, parseBuildRequest } from '../plan/request.js'
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

/** Reads the arguments of `npm run smoke`; `help` when only the usage is wanted. Throws a UserError. */
export function parseSmokeRequest(args: readonly string[], facts: Variants): SmokeRequest | 'help' {
  const wantsConformance = args.includes('--conformance')
  const focus = takeFlag(
    'focus',
    args.filter((arg) => arg !== '--conformance'),
  )
  const own = takeFlag('runtime', focus.rest)
  const { value: mode, rest } = takeFlag('mode', own.rest)
  if (rest.includes('--help')) return 'help'
  if (mode === undefined) {
    throw new UserError(`missing --mode: choose from ${smokeModes.join(', ')}`)
  }
  const parsed = oneOf('mode', mode, smokeModes)
  const runtime = oneOf('runtime', own.value ?? 'ctr', smokeRuntimes)
  const defaults = ['--k8s', 'v1.24.0', '--base', 'static', '--image', 'kubelet']
  const arch = parseArch(process.arch)
  // Of a flag that is given twice the last holds, except of lists.
  const build = parseBuildRequest([...defaults, '--arch', arch, ...rest], facts)
  if (build === 'help') return 'help'
  if (build.images.length > 1)
    throw new UserError('--image has no place here: the mode says which images are needed')
  const given = rest.some((arg) => arg === '--variant' || arg.startsWith('--variant='))
  const [variant = defaultVariant(parsed), ...more] = given ? build.variants : []
  if (more.length > 0)
    throw new UserError(`one --variant at a time: asked for ${build.variants.join(', ')}`)
  if (focus.value !== undefined && !wantsConformance)
    throw new UserError('--focus chooses cases of --conformance: give both')
  if (wantsConformance && parsed !== 'join')
    throw new UserError(`--conformance needs a cluster: use it with --mode join, not ${parsed}`)
  return {
    mode: parsed,
    conformance: wantsConformance && { ...(focus.value && { focus: focus.value }) },
    runtime,
    build: {
      ...build,
      arches: [arch],
      variants: [variant],
      // Docker below 23 reads no other.
      ...(runtime === 'docker' && { compression: 'gzip' }),
    },
    json: build.json,
  }
}

/** The value of a flag that `npm run build` does not have, and the other arguments. */
function takeFlag(
  name: string,
  args: readonly string[],
): { value: string | undefined; rest: string[] } {
  const rest = [...args]
  const at = rest.findIndex((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`))
  if (at < 0) return { value: undefined, rest }
  const joined = rest[at]?.startsWith(`--${name}=`)
  const [flag = '', next] = rest.splice(at, joined ? 1 : 2)
  return { value: (joined ? flag.slice(name.length + 3) : next) ?? '', rest }
}
