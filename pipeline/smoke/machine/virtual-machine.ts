import { rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Arch } from '../../facts/platform.js'
import { type Outcome, run, runSync, start, stdoutOf } from '../../host/process.js'
import { temporaryDirectory } from '../../host/temporary.js'
import { quote } from '../../recipe/shell.js'
import { type Node, type Service, until } from '../node.js'
import { type Accelerator, boardFlags, emulatorOf } from './hardware.js'
import type { MachineImage } from './image.js'
import type { MachineNetwork } from './network.js'

/** Where the archives of a test are on a machine: a disk that is only read. */
export const imagesFolder = '/opt/images'

export interface MachineOptions {
  name: string
  /** The last number of its address, and of that of its card: 1 or 2. */
  number: number
  arch: Arch
  image: MachineImage
  accelerator: Accelerator
  network: MachineNetwork
  /** Disk with the archives. */
  images: string
}

/** A virtual machine that was booted: systemd, control groups of version 2, AppArmor, and a kernel of its own. */
export class VirtualMachine implements Node {
  readonly booted = true

  private constructor(
    readonly name: string,
    readonly address: string,
    private readonly machine: ReturnType<typeof start>,
    private readonly network: MachineNetwork,
    /** With the console, and the socket of ssh. */
    private readonly directory: string,
    private readonly key: string,
  ) {
    process.once('exit', this.stop)
  }

  /** Boots a machine; gives it when it lets root in and containerd answers. */
  static async start(options: MachineOptions): Promise<VirtualMachine> {
    const { name, number, arch, image, accelerator, network, images } = options
    const directory = temporaryDirectory('machine')
    const card = await network.addCard()
    const disk = (file: string, more: string) =>
      `file=${file},format=raw,if=virtio,cache=unsafe,${more}`
    const flags = [
      ...boardFlags(arch, accelerator, {
        kernel: image.kernel,
        log: join(directory, 'console'),
        words: `root=/dev/vda rw systemd.hostname=${name} quiet`,
      }),
      // kubeadm wants two processors for a control plane; more than the host has would only wait for each other.
      ...['-m', '3072', '-smp', number === 1 ? '2' : '1', '-initrd', image.initrd],
      // What it writes is gone with it, and stays when it is started again.
      ...['-drive', disk(image.root, 'snapshot=on')],
      ...['-drive', disk(images, 'readonly=on')],
      ...['-netdev', `tap,id=net,ifname=${card},script=no,downscript=no`],
      ...['-device', `virtio-net-pci,netdev=net,mac=52:54:00:00:00:0${number}`],
      ...['-device', 'virtio-rng-pci'],
    ]
    const machine = start('nsenter', network.entering(emulatorOf(arch), flags), {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const address = `198.51.100.${number}`
    const node = new VirtualMachine(name, address, machine, network, directory, image.key)
    try {
      await node.isUp()
      return node
    } catch (error) {
      const said = await node.console()
      node.stop()
      throw new Error(`machine ${name} did not start\n${said}`, { cause: error })
    }
  }

  run(command: string, args: readonly string[], input = ''): Promise<Outcome> {
    const text = [command, ...args].map(quote).join(' ')
    return run('nsenter', this.network.entering('ssh', [...this.sshFlags(), text]), { input })
  }

  async succeed(command: string, ...args: string[]): Promise<string> {
    return stdoutOf(command, args, await this.run(command, args))
  }

  shell(text: string): Promise<string> {
    return this.succeed('sh', '-euc', text)
  }

  ctr(...args: string[]): Promise<string> {
    return this.succeed('ctr', '--namespace=k8s.io', ...args)
  }

  async restart(service: Service): Promise<void> {
    await this.succeed('systemctl', 'restart', service)
    await this.answers()
  }

  /** Starts the machine again, as its administrator would, and waits until it is up. */
  async reboot(): Promise<void> {
    const boot = async () =>
      (await this.run('cat', ['/proc/sys/kernel/random/boot_id'])).stdout.trim()
    const before = await boot()
    await this.run('systemctl', ['reboot'])
    this.endConnection()
    await until(
      `${this.name} is up again`,
      async () => {
        const now = await boot()
        return now !== '' && now !== before
      },
      180,
    )
    await this.answers()
  }

  async logs(): Promise<string> {
    const journal = await this.run('journalctl', ['--no-pager', '--lines=80', '--priority=info'])
    const kubelet = await this.run('journalctl', ['--no-pager', '--lines=60', '--unit=kubelet'])
    return [
      `--- ${this.name}: console\n${await this.console()}`,
      `--- ${this.name}: journal\n${journal.stdout}`,
      `--- ${this.name}: kubelet\n${kubelet.stdout}`,
    ].join('\n')
  }

  async leftovers(): Promise<string[]> {
    const processes = await run('pgrep', ['--full', '--list-full', this.directory])
    return processes.stdout.split('\n').filter(Boolean)
  }

  readonly stop = (): void => {
    process.off('exit', this.stop)
    this.endConnection()
    this.machine.kill('SIGKILL')
  }

  private async isUp(): Promise<void> {
    const up = async () => {
      if (this.machine.exitCode !== null) throw new Error('the emulator has ended: see above')
      return (await this.run('true', [])).status === 0
    }
    await until(`${this.name} lets root in`, up, 120)
    await this.answers()
    // What the first start makes, keys and caches above all, is made.
    await this.run('systemctl', ['is-system-running', '--wait'])
  }

  private async answers(): Promise<void> {
    await until('containerd answers', async () => (await this.run('ctr', ['version'])).status === 0)
  }

  private sshFlags(): string[] {
    const options = {
      BatchMode: 'yes',
      ConnectTimeout: '10',
      ControlMaster: 'auto',
      ControlPath: join(this.directory, 'ssh'),
      ControlPersist: '600',
      LogLevel: 'ERROR',
      ServerAliveInterval: '5',
      StrictHostKeyChecking: 'no',
      UserKnownHostsFile: '/dev/null',
    }
    const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])
    return ['-F', 'none', '-i', this.key, ...flags, `root@${this.address}`, '--']
  }

  /** The connection that commands share; the next one makes a new one. */
  private endConnection(): void {
    const flags = [
      '-q',
      '-F',
      'none',
      '-O',
      'exit',
      '-o',
      `ControlPath=${join(this.directory, 'ssh')}`,
    ]
    runSync('ssh', [...flags, `root@${this.address}`])
    rmSync(join(this.directory, 'ssh'), { force: true })
  }

  private async console(): Promise<string> {
    const text = await readFile(join(this.directory, 'console'), 'utf8').catch(() => '')
    return text.split('\n').slice(-40).join('\n')
  }
}
