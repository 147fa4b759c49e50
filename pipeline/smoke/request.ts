import { oneOf } from '../facts/closed-set.js'
import { UserError } from '../facts/errors.js'
import { type Arch, parseArch } from '../facts/platform.js'
import type { Facts } from '../facts/schema.js'
import { type BuildRequest, makeBuildRequest } from '../plan/request.js'
import { defaultVariant } from '../recipe/request.js'

export const smokeModes = ['standalone', 'init', 'join', 'hardway'] as const
export type SmokeMode = (typeof smokeModes)[number]

export const smokeRuntimes = ['ctr', 'nerdctl', 'docker', 'systemd'] as const

export const smokeMachines = ['namespace', 'vm'] as const

/** What starts the kubelet again by itself, where machines are started again; what needs no systemd, where there is none. */
const runtimesOf: Record<SmokeRequest['machine'], readonly SmokeRequest['runtime'][]> = {
  namespace: ['ctr', 'nerdctl', 'docker'],
  vm: ['systemd', 'docker'],
}

type Systems = Facts['sources']['debian']['machine']['systems']

export interface Conformance {
  /** Regular expression for the names of cases; without it every case. */
  focus?: string
  /** Directory for the log and the results. */
  report?: string
}

/** What to prove. */
export interface SmokeRequest {
  mode: SmokeMode
  /** Namespaces of this machine, or virtual machines that are booted. */
  machine: (typeof smokeMachines)[number]
  /** Operating system of virtual machines. */
  os: string
  /** Architecture of the nodes, and of what is built for them. */
  arch: Arch
  /** What runs the kubelet: a client of containerd, a unit of systemd, or Docker, which runs the pods too below v1.24. */
  runtime: (typeof smokeRuntimes)[number]
  /** The image of the kubelet. */
  build: BuildRequest
  /** Whether Kubernetes' own conformance tests run on the cluster of `join`. */
  conformance: false | Conformance
  json: boolean
}

/** What may be said of a smoke test, as it was given: no word of it checked yet. */
export interface SmokeValues {
  mode?: string | undefined
  machine?: string | undefined
  os?: string | undefined
  arch?: string | undefined
  runtime?: string | undefined
  k8s?: string | undefined
  base?: string | undefined
  variant?: string | undefined
  alpineMirror?: string | undefined
  alpineKey?: string[] | undefined
  alpineLock?: string[] | undefined
  apk?: string[] | undefined
  engine?: string | undefined
  conformance?: boolean | undefined
  focus?: string | undefined
  report?: string | undefined
  json?: boolean | undefined
}

/** Checks every word of what is asked for. Throws a UserError. */
export function makeSmokeRequest(given: SmokeValues, facts: Facts): SmokeRequest {
  const {
    mode: asked,
    runtime: client,
    conformance = false,
    focus,
    report,
    variant,
    os: system,
    arch: processor,
    ...rest
  } = given
  const machine = oneOf('machine', given.machine ?? 'namespace', smokeMachines)
  if (asked === undefined) {
    throw new UserError(`missing --mode: choose from ${smokeModes.join(', ')}`)
  }
  const mode = oneOf('mode', asked, smokeModes)
  const runtime = oneOf('runtime', client ?? (machine === 'vm' ? 'systemd' : 'ctr'), smokeRuntimes)
  for (const [flag, value] of Object.entries({ os: system, arch: processor })) {
    if (value !== undefined && machine !== 'vm') {
      throw new UserError(`--${flag} is for --machine vm: leave it out, or give both`)
    }
  }
  const runs = runtimesOf[machine]
  if (!runs.includes(runtime)) {
    throw new UserError(
      `--runtime ${runtime} does not go with --machine ${machine}: choose from ${runs.join(', ')}`,
    )
  }
  if (focus !== undefined && !conformance)
    throw new UserError('--focus chooses cases of --conformance: give both')
  if (report !== undefined && !conformance)
    throw new UserError('--report is what --conformance has seen: give both')
  if (conformance && mode !== 'join')
    throw new UserError(`--conformance needs a cluster: use it with --mode join, not ${mode}`)
  const { systems } = facts.sources.debian.machine
  const os = oneOf('operating system', system ?? 'debian13', Object.keys(systems))
  const arch = parseArch(processor ?? process.arch)
  if (machine === 'vm') verifySystem(systems, os, arch)
  const build = makeBuildRequest(
    {
      ...rest,
      k8s: given.k8s ?? 'v1.24.0',
      base: [given.base ?? 'static'],
      image: ['kubelet'],
      variant: [variant ?? defaultVariant(mode)],
      arch: [arch],
      // Docker below 23 reads no other.
      ...(runtime === 'docker' && { compression: 'gzip' }),
    },
    facts,
  )
  return {
    mode,
    machine,
    os,
    arch,
    conformance: conformance && { ...(focus && { focus }), ...(report && { report }) },
    runtime,
    build,
    json: build.json,
  }
}

/** Architectures that there are machines of. */
export function machineArches(systems: Systems): Arch[] {
  return [...new Set(Object.values(systems).flatMap(({ arches }) => arches))]
}

/** Throws a UserError where no machine of the architecture has the system. */
function verifySystem(systems: Systems, os: string, arch: Arch): void {
  const others = Object.keys(systems).filter((name) => systems[name]?.arches.includes(arch))
  if (others.includes(os)) return
  throw new UserError(
    others.length > 0
      ? `no machine of ${arch} with ${os}: choose from ${others.join(', ')}`
      : `there are no machines of ${arch}: choose from ${machineArches(systems).join(', ')}`,
  )
}
