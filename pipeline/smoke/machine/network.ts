import { BuildError } from '../../facts/errors.js'
import { start, succeed } from '../../host/process.js'

/** Commands that make a network namespace with a bridge and nothing else, and keep it. */
const keep = `ip link set lo up
ip link add bridge type bridge
ip address add 198.51.100.254/24 dev bridge
ip link set bridge up
echo ready
exec sleep infinity`

/** A network of its own for virtual machines; it ends with this process. */
export class MachineNetwork {
  private cards = 0

  private constructor(private readonly pid: number) {}

  static async start(): Promise<MachineNetwork> {
    const keeper = start('unshare', ['--net', 'sh', '-euc', keep], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ready = await new Promise<boolean>((resolve) => {
      keeper.stdout?.once('data', () => resolve(true))
      keeper.once('close', () => resolve(false))
    })
    if (!ready) throw new BuildError('no network for virtual machines can be made here: see above')
    return new MachineNetwork(keeper.pid as number)
  }

  /** A command as it is to be run in the network: nsenter with its arguments. */
  entering(command: string, args: readonly string[]): string[] {
    return ['--target', String(this.pid), '--net', '--', command, ...args]
  }

  /** The name of a new card on the bridge, for a virtual machine. */
  async addCard(): Promise<string> {
    this.cards += 1
    const name = `card${this.cards}`
    const ip = (...args: string[]) => succeed('nsenter', this.entering('ip', args))
    await ip('tuntap', 'add', name, 'mode', 'tap')
    await ip('link', 'set', name, 'master', 'bridge', 'up')
    return name
  }

  stop(): void {
    try {
      process.kill(this.pid, 'SIGKILL')
    } catch {
      // It has ended.
    }
  }
}
