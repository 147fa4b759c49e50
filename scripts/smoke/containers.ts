import { runCommand } from '../../pipeline/recipe/container.js'
import type { RecipeRequest } from '../../pipeline/recipe/request.js'
import type { Node } from './node.js'

/** What a runtime tells of the pods' containers on a node. */
export interface PodContainers {
  /** Ids of those that run: the containers of pods, or their sandboxes. */
  running(kind: 'container' | 'sandbox'): Promise<string[]>
  /** Runs a command in one; gives its stdout. */
  exec(container: string, ...command: string[]): Promise<string>
}

/** The containers of the pods on a node, by the client of what runs them. */
export function podContainers(node: Node, { dockershim }: RecipeRequest): PodContainers {
  return dockershim ? dockerContainers(node) : containerdContainers(node)
}

function containerdContainers(node: Node): PodContainers {
  return {
    running: async (kind) => {
      const label = `labels."io.cri-containerd.kind"==${kind}`
      const known = lines(await node.ctr('containers', 'list', '--quiet', label))
      const tasks = await node.ctr('tasks', 'list')
      return known.filter((id) => new RegExp(`^${id} .*running`, 'im').test(tasks))
    },
    exec: (container, ...command) =>
      node.ctr('tasks', 'exec', '--exec-id', 'smoke', container, ...command),
  }
}

function dockerContainers(node: Node): PodContainers {
  const kinds = { container: 'container', sandbox: 'podsandbox' }
  return {
    running: async (kind) => {
      const label = `label=io.kubernetes.docker.type=${kinds[kind]}`
      return lines(await node.succeed('docker', 'ps', '--quiet', '--no-trunc', '--filter', label))
    },
    exec: (container, ...command) => node.succeed('docker', 'exec', container, ...command),
  }
}

function lines(text: string): string[] {
  return text.split('\n').filter(Boolean)
}

/** The shell command that runs one command in a container of the kubelet's image, with nothing mounted. */
export function inImage({ image, runtime }: RecipeRequest, command: string): string {
  const container = { name: 'smoke', image: image.ref, command: [command], mounts: [] }
  return runCommand({ ...container, detached: false }, runtime === 'docker' ? 'docker' : 'ctr')
}
