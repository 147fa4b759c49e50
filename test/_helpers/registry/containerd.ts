import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { answers } from '../../../pipeline/engine/probe.js'
import { until } from '../../../pipeline/smoke/node.js'
import { succeed } from '../command.js'

/** A containerd that keeps everything in one directory, to pull images with. */
export class Containerd {
  private constructor(
    private readonly process: ChildProcess,
    private readonly socket: string,
  ) {}

  /** Throws when it does not answer within a minute. */
  static async start(folder: string): Promise<Containerd> {
    const socket = join(folder, 'containerd.sock')
    const settings = `version = 2
root = "${join(folder, 'root')}"
state = "${join(folder, 'state')}"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "${socket}"
`
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'config.toml'), settings)
    const child = spawn('containerd', ['--config', join(folder, 'config.toml')], {
      stdio: 'ignore',
    })
    await until('containerd answers', () => answers({ path: socket }))
    return new Containerd(child, socket)
  }

  /** Runs ctr; it must succeed. */
  ctr(...args: string[]): Promise<string> {
    return succeed('ctr', ['--address', this.socket, ...args])
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once('close', resolve))
    this.process.kill()
    await ended
  }
}
