import { BuildError } from '../facts/errors.js'
import { run } from '../host/process.js'
import { systemPath } from '../host/tools.js'

/** What nodes need of the kernel and of this user's rights, and how it is tried in namespaces that end with the try. */
const probes: Record<string, string> = {
  'overlay file systems': `mount -t tmpfs tmpfs /mnt
mkdir /mnt/lower /mnt/upper /mnt/work /mnt/merged
mount -t overlay overlay /mnt/merged -o lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work`,
  'pairs of network interfaces (veth)': 'ip link add one type veth peer name other',
  'network bridges (bridge)': 'ip link add one type bridge',
  'bridged traffic through iptables (br_netfilter)':
    '[ -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || modprobe br_netfilter',
  'iptables with NAT': 'iptables -t nat -A POSTROUTING -m comment --comment probe -j MASQUERADE',
  'control groups for memory': `grep -qw memory /proc/self/cgroup /sys/fs/cgroup/cgroup.controllers`,
}

const flannelProbes = {
  'overlay networks (vxlan)': 'ip link add one type vxlan id 1 dstport 8472',
}

/** Makes sure that nodes can run here. Throws a BuildError that names everything that is missing. */
export async function verifyMachine(variants: readonly string[]): Promise<void> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new BuildError('the smoke test runs nodes in namespaces of Linux: run it there as root')
  }
  const wanted = { ...probes, ...(variants.includes('flannel') && flannelProbes) }
  const missing: string[] = []
  for (const [feature, probe] of Object.entries(wanted)) {
    const namespaces = ['--mount', '--net', '--pid', '--uts', '--cgroup', '--fork']
    const { status } = await run('unshare', [...namespaces, 'sh', '-euc', probe], {
      env: { PATH: systemPath() },
    })
    if (status !== 0) missing.push(feature)
  }
  if (missing.length === 0) return
  throw new BuildError(
    `this machine cannot run nodes, its kernel or this user's capabilities do not give: ${missing.join('; ')}. Load the modules, or run it on a machine that has them.`,
  )
}
