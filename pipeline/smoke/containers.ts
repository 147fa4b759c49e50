import { runScript } from '../recipe/container.js'
import type { RecipeRequest } from '../recipe/request.js'
import type { Node } from './node.js'

/** What a runtime tells of the pods' containers on a node. */
export interface PodContainers {
  /** Ids of those that run: the containers of pods, or their sandboxes. */
  running(kind: 'container' | 'sandbox'): Promise<string[]>
  /** Process id of the first process of one, on the node. */
  pid(container: string): Promise<string>
  /** Runs a command in one; gives its stdout. */
  exec(container: string, ...command: string[]): Promise<string>
}

/** The containers of the pods on a node, by the client that the recipe is for; Docker's knows its own pods alone. */
export function podContainers(node: Node, { dockershim, runtime }: RecipeRequest): PodContainers {
  if (dockershim) return listedBy(node, 'docker', 'io.kubernetes.docker.type', 'podsandbox')
  if (runtime !== 'nerdctl') return listedByCtr(node)
  return listedBy(node, 'nerdctl --namespace=k8s.io', 'io.cri-containerd.kind', 'sandbox')
}

function listedByCtr(node: Node): PodContainers {
  const tasks = async () =>
    lines(await node.ctr('tasks', 'list')).map((line) => line.trim().split(/\s+/))
  return {
    running: async (kind) => {
      const label = `labels."io.cri-containerd.kind"==${kind}`
      const known = lines(await node.ctr('containers', 'list', '--quiet', label))
      const states = new Map((await tasks()).map(([id, , state]) => [id, state]))
      return known.filter((id) => states.get(id) === 'RUNNING')
    },
    pid: async (container) => (await tasks()).find(([id]) => id === container)?.[1] ?? '',
    exec: (container, ...command) =>
      node.ctr('tasks', 'exec', '--exec-id', 'smoke', container, ...command),
  }
}

/** By a client with Docker's commands, where containers have a label with their kind. */
function listedBy(node: Node, client: string, label: string, sandbox: string): PodContainers {
  const [program = '', ...flags] = client.split(' ')
  const ask = (...args: string[]) => node.succeed(program, ...flags, ...args)
  return {
    running: async (kind) => {
      const filter = `label=${label}=${kind === 'sandbox' ? sandbox : kind}`
      return lines(await ask('ps', '--quiet', '--no-trunc', '--filter', filter))
    },
    pid: async (container) => (await ask('inspect', '--format={{.State.Pid}}', container)).trim(),
    exec: (container, ...command) => ask('exec', container, ...command),
  }
}

function lines(text: string): string[] {
  return text.split('\n').filter(Boolean)
}

/** The shell command that runs one command in a container of the kubelet's image, with nothing mounted. */
export function inImage({ image, runtime }: RecipeRequest, command: string): string {
  const container = { name: 'smoke', image: image.ref, command: command.split(' '), mounts: [] }
  return runScript({ ...container, life: 'attached' }, runtime === 'systemd' ? 'ctr' : runtime)
}
