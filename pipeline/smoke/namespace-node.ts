import { closeSync, existsSync, openSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Outcome, run, runSync, start, succeed } from '../host/process.js'
import { systemPath } from '../host/tools.js'
import { type Node, type Service, until } from './node.js'

const script = fileURLToPath(new URL('namespace-node.sh', import.meta.url))

export interface NamespaceMachine {
  name: string
  /** IPv4, with the prefix length. */
  address: string
  /** A directory whose programs come before those of the host, if it is there. */
  programs?: string
  /** Whether Docker's engine runs on it too. */
  docker?: boolean
}

/** Services of a node: the program, and a client that tells when it is ready. */
const services: Record<Service, { program: string; client: string }> = {
  containerd: { program: 'containerd', client: 'ctr' },
  docker: { program: 'dockerd', client: 'docker' },
}

/** A machine in namespaces of its own with a containerd that is ready. */
export class NamespaceNode implements Node {
  readonly booted = false

  private constructor(
    readonly name: string,
    /** Without the prefix length. */
    readonly address: string,
    /** Directory on the host for logs and for what the node keeps. */
    readonly directory: string,
    private readonly path: string,
    private readonly groups: readonly string[],
    /** Process id on the host of its first process. */
    private readonly init: string,
  ) {
    process.once('exit', this.stop)
  }

  /** Starts a node whose uplink ends at `neighbour`, or nowhere. Throws after a minute without containerd. */
  static async start(
    { name, address, programs, docker = false }: NamespaceMachine,
    neighbour?: NamespaceNode,
  ): Promise<NamespaceNode> {
    const directory = await mkdtemp(join(tmpdir(), `${name}-`))
    const groups = await makeControlGroups(`${name}-${process.pid}`)
    // By its own descriptor: of two pipes into one stream the first that ends would end it for the other.
    const log = openSync(join(directory, 'node.log'), 'a')
    const namespaces = '--pid --fork --kill-child --mount --net --uts --cgroup --mount-proc'
    const enter = 'for group in $GROUPS_OF_NODE; do echo $$ >"$group/cgroup.procs"; done'
    const path = programs === undefined ? systemPath() : `${programs}:${systemPath()}`
    const supervisor = start(
      'sh',
      ['-euc', `${enter}\nexec unshare ${namespaces} --propagation=slave "$0"`, script],
      {
        env: {
          ...process.env,
          PATH: path,
          DIR: directory,
          NAME: name,
          ADDRESS: address,
          NEIGHBOUR: neighbour?.name ?? '',
          DOCKER: docker ? 'yes' : '',
          GROUPS_OF_NODE: groups.join(' '),
        },
        stdio: ['ignore', log, log],
      },
    )
    closeSync(log)
    const ip = address.split('/')[0] as string
    let node: NamespaceNode | undefined
    try {
      const init = await firstChild(supervisor.pid as number)
      node = new NamespaceNode(name, ip, directory, path, groups, init)
      if (neighbour) {
        const move = ['ip', 'link', 'set', 'nowhere', 'netns', init]
        await succeed('nsenter', ['--target', neighbour.init, '--net', '--', ...move])
      }
      await node.answers('containerd')
      if (docker) await node.answers('docker')
      return node
    } catch (error) {
      const output = await readFile(join(directory, 'node.log'), 'utf8').catch(() => '')
      if (node) node.stop()
      else await rm(directory, { recursive: true, force: true })
      throw new Error(`node ${name} did not start\n${output}`, { cause: error })
    }
  }

  /** Runs a command on the node; `input` is what it reads. */
  run(command: string, args: readonly string[], input = ''): Promise<Outcome> {
    return run('nsenter', this.entering(command, args), { input, env: { PATH: this.path } })
  }

  /** Runs a command on the node that must succeed; gives its stdout. */
  succeed(command: string, ...args: string[]): Promise<string> {
    return succeed('nsenter', this.entering(command, args), { env: { PATH: this.path } })
  }

  /** Runs a shell script on the node as if it was pasted there; it must succeed. */
  shell(text: string): Promise<string> {
    return this.succeed('sh', '-euc', text)
  }

  /** Runs `ctr` in the namespace of Kubernetes; it must succeed. */
  ctr(...args: string[]): Promise<string> {
    return this.succeed('ctr', '--namespace=k8s.io', ...args)
  }

  /** Starts a service again; containers go on. */
  async restart(service: Service): Promise<void> {
    const { program } = services[service]
    await this.shell(
      `pid=$(pgrep -x ${program}); kill $pid; while [ -e /proc/$pid ]; do sleep 0.05; done`,
    )
    await this.answers(service)
  }

  /** The ends of the logs of the node and of the containers that were started on it. */
  async logs(): Promise<string> {
    const containers = await readdir(join(this.directory, 'root/var/log')).catch(() => [])
    const files = [
      ...['node.log', 'containerd.log', 'dockerd.log'],
      ...containers.filter((name) => name.endsWith('.log')).map((name) => `root/var/log/${name}`),
    ]
    const ends = await Promise.all(
      files.map(async (file) => {
        const text = await readFile(join(this.directory, file), 'utf8').catch(() => '')
        return `--- ${this.name}: ${file}\n${text.split('\n').slice(-40).join('\n')}\n`
      }),
    )
    return ends.join('')
  }

  /** What is there of the node after it was stopped: processes, mounts, control groups, files. */
  async leftovers(): Promise<string[]> {
    const processes = await run('pgrep', ['--full', '--list-full', this.directory])
    const mounts = (await readFile('/proc/mounts', 'utf8'))
      .split('\n')
      .filter((mount) => mount.includes(this.directory))
    const paths = [...this.groups, this.directory].filter((path) => existsSync(path))
    return [...processes.stdout.split('\n').filter(Boolean), ...mounts, ...paths]
  }

  private entering(command: string, args: readonly string[]): string[] {
    const namespaces = ['--pid', '--mount', '--net', '--uts', '--cgroup']
    return ['--target', this.init, ...namespaces, '--', command, ...args]
  }

  private async answers(service: Service): Promise<void> {
    const { client } = services[service]
    const ready = async () => (await this.run(client, ['version'])).status === 0
    await until(`${service} answers`, ready)
  }

  /** Ends every process of the node and removes what it leaves. Not asynchronous, so that it can be done at exit. */
  readonly stop = (): void => {
    process.off('exit', this.stop)
    runSync('sh', ['-uc', stopScript], {
      INIT: this.init,
      DIR: this.directory,
      GROUPS_OF_NODE: this.groups.join(' '),
    })
  }
}

// The kernel takes a moment to see that the processes of a control group are gone.
const stopScript = `kill -KILL "$INIT" 2>/dev/null
for try in $(seq 100); do [ -e "/proc/$INIT" ] || break; sleep 0.05; done
for group in $GROUPS_OF_NODE; do
  for try in $(seq 50); do
    find "$group" -depth -type d -exec rmdir {} ';' 2>/dev/null
    [ -e "$group" ] || break
    sleep 0.1
  done
done
[ ! -e "$DIR/made" ] || xargs rmdir <"$DIR/made" 2>/dev/null
rm -rf "$DIR"`

function firstChild(pid: number): Promise<string> {
  return until('the first process of the node', async () => {
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
    return children.trim()
  })
}

/** A control group in every hierarchy: one with cgroup v2. */
async function makeControlGroups(name: string): Promise<string[]> {
  const types = ['--noheadings', '--output=TARGET', '--list', '--types=cgroup,cgroup2']
  const mounts = (await succeed('findmnt', types)).split('\n').map((line) => line.trim())
  const groups: string[] = []
  for (const hierarchy of mounts.filter(Boolean)) {
    const group = join(hierarchy, name)
    await mkdir(group)
    // A new group of cpuset takes no process before it has these.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      const inherited = await readFile(join(hierarchy, file), 'utf8').catch(() => undefined)
      if (inherited !== undefined) await writeFile(join(group, file), inherited).catch(() => {})
    }
    groups.push(group)
  }
  return groups
}
