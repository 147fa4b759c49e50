import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, rmdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Outcome, run, succeed } from './command.js'

const script = fileURLToPath(new URL('node.sh', import.meta.url))

/** A machine in namespaces of its own with a containerd that is ready. */
export class Node {
  private constructor(
    /** Directory on the host for logs and for what the node keeps. */
    readonly directory: string,
    /** Control group of the node's pods, below every controller. */
    readonly controlGroup: string,
    private readonly supervisor: ChildProcess,
    private readonly init: string,
  ) {}

  static async start(name: string, address: string, pauseImage: string): Promise<Node> {
    const directory = await mkdtemp(join(tmpdir(), `${name}-`))
    await writeFile(join(directory, 'containerd.toml'), containerdConfig(pauseImage))
    const log = createWriteStream(join(directory, 'containerd.log'))
    const flags = ['--pid', '--fork', '--kill-child', '--mount', '--net', '--uts', '--mount-proc']
    const supervisor = spawn('unshare', [...flags, '--propagation=slave', script], {
      env: { ...process.env, DIR: directory, NAME: name, ADDRESS: address },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    supervisor.stdout.pipe(log)
    supervisor.stderr.pipe(log)
    const init = await firstChild(supervisor.pid as number)
    const controlGroup = `${name}-${supervisor.pid}`
    for (const controller of await controllers()) await mkdir(join(controller, controlGroup))
    const node = new Node(directory, controlGroup, supervisor, init)
    try {
      await until(
        'containerd answers',
        async () => (await node.run('ctr', ['version'])).status === 0,
      )
      return node
    } catch (error) {
      process.stderr.write(await readFile(join(directory, 'containerd.log'), 'utf8'))
      await node.stop()
      throw error
    }
  }

  /** Runs a command on the node. */
  run(command: string, args: readonly string[]): Promise<Outcome> {
    const enter = ['--target', this.init, '--pid', '--mount', '--net', '--uts', '--']
    return run('nsenter', [...enter, command, ...args])
  }

  /** Runs `ctr` in the namespace of Kubernetes; it must succeed. */
  async ctr(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run('ctr', ['--namespace=k8s.io', ...args])
    if (status !== 0) throw new Error(`ctr ${args.join(' ')}: exit ${status}\n${stdout}${stderr}`)
    return stdout
  }

  /** Ends every process of the node and removes what it leaves. */
  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.supervisor.once('close', resolve))
    if (this.supervisor.exitCode === null) process.kill(Number(this.init), 'SIGKILL')
    else this.supervisor.emit('close')
    await ended
    for (const controller of await controllers()) {
      const tree = join(controller, this.controlGroup)
      const folders = await run('find', [tree, '-depth', '-type', 'd'])
      for (const folder of folders.stdout.split('\n').filter(Boolean)) await removeGroup(folder)
    }
    const made = await readFile(join(this.directory, 'made'), 'utf8').catch(() => '')
    for (const folder of made.split('\n').filter(Boolean)) await rmdir(folder).catch(() => {})
    await rm(this.directory, { recursive: true, force: true })
  }
}

/** Waits until a condition holds; throws what was waited for after `seconds`. */
export async function until(
  what: string,
  holds: () => Promise<boolean>,
  seconds = 60,
): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await sleep(200)) {
    if (await holds()) return
  }
  throw new Error(`not within ${seconds} s: ${what}`)
}

async function firstChild(pid: number): Promise<string> {
  let child = ''
  await until('the first process of the node', async () => {
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
    child = children.trim()
    return child !== ''
  })
  return child
}

/** The roots of the control group hierarchies, one with cgroup v2. */
async function controllers(): Promise<string[]> {
  const mounts = await succeed('findmnt', [
    '--noheadings',
    '--output=TARGET',
    '--list',
    '--types=cgroup,cgroup2',
  ])
  return mounts
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
}

/** The kernel takes a moment to see that the processes of a control group are gone. */
async function removeGroup(folder: string): Promise<void> {
  for (let tries = 0; tries < 20; tries += 1) {
    try {
      return await rmdir(folder)
    } catch {
      await sleep(100)
    }
  }
}

function containerdConfig(pauseImage: string): string {
  return `version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  # Sandboxed CI may lack CAP_SYS_RESOURCE, which a lower OOM score needs.
  restrict_oom_score_adj = true
`
}
