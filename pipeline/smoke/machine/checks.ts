import type { Kubectl } from '../cluster.js'
import { nodeReady } from '../cluster.js'
import { type Node, until } from '../node.js'
import { podImage } from '../pod-image.js'
import { matching, type Report } from '../report.js'

/** What only a booted machine shows: the host that the kubelet asks about itself, and a start of the machine. */
export async function checkBooted(
  nodes: readonly Node[],
  kubectl: Kubectl,
  report: Report,
): Promise<void> {
  await report.check('the nodes tell their own operating system', async () => {
    const path = 'jsonpath={range .items[*]}{.status.nodeInfo.osImage};{end}'
    const images = await kubectl('get', 'nodes', `--output=${path}`)
    return matching(images, /^(Debian GNU\/Linux \d+ [^;]*;)+$/)
  })
  for (const node of nodes) {
    await report.check(`${node.name}: pods are in systemd's control groups`, () =>
      node.succeed('ls', '-d', '/sys/fs/cgroup/kubepods.slice'),
    )
  }
  for (const [what, pod] of Object.entries(pods)) {
    for (const { name } of nodes) {
      await report.check(`a pod ${what} runs on ${name}`, () => runs(kubectl, pod(name)))
    }
  }
  for (const node of nodes) {
    await report.check(`${node.name}: what a pod wanted made is a file there`, async () =>
      matching(await node.succeed('stat', '--format=%F', madeFile), /^regular empty file$/m),
    )
    await report.check(`${node.name}: a resolver that was replaced is the kubelet's too`, () =>
      resolverFollows(node),
    )
    await report.check(`${node.name}: a device that is new is the kubelet's too`, () =>
      deviceAppears(node),
    )
  }
  const last = nodes.at(-1) as Node
  await report.check(`${last.name}: the kubelet holds up a shutdown for its pods`, () =>
    inhibits(last),
  )
  for (const node of nodes) {
    await report.check(`${node.name} is started again, and is Ready`, async () => {
      await node.reboot?.()
      const answers = () => kubectl('get', '--raw=/readyz').catch(() => '')
      await until('the API server answers', answers, 120)
      await nodeReady(kubectl, node)
    })
  }
  await report.check('the pods are Ready again', async () => {
    await kubectl('rollout', 'status', 'daemonset/web', '--timeout=300s')
  })
}

const madeFile = '/srv/made'

/** Pods that want something of the host, each on a node. */
const pods: Record<string, (node: string) => Pod> = {
  'with an AppArmor profile': (node) => ({
    ...pod('apparmor', node),
    metadata: {
      name: `apparmor-${node}`,
      annotations: { 'container.apparmor.security.beta.kubernetes.io/pod': 'runtime/default' },
    },
  }),
  "with containerd's socket below /var/run": (node) =>
    pod('socket', node, { path: '/var/run/containerd/containerd.sock', type: 'Socket' }),
  'with a file that is made where volumes are': (node) =>
    pod('file', node, { path: madeFile, type: 'FileOrCreate' }),
  'with a device of the host': (node) =>
    pod('device', node, { path: '/dev/vda', type: 'BlockDevice' }),
}

interface Pod {
  apiVersion: 'v1'
  kind: 'Pod'
  metadata: { name: string; annotations?: Record<string, string> }
  spec: object
}

function pod(what: string, node: string, hostPath?: { path: string; type: string }): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${what}-${node}` },
    spec: {
      nodeName: node,
      terminationGracePeriodSeconds: 1,
      ...(hostPath && { volumes: [{ name: 'host', hostPath }] }),
      containers: [
        {
          name: 'pod',
          image: podImage,
          imagePullPolicy: 'Never',
          args: ['serve', ':8080'],
          ...(hostPath && { volumeMounts: [{ name: 'host', mountPath: '/host' }] }),
        },
      ],
    },
  }
}

async function runs(kubectl: Kubectl, pod: Pod): Promise<void> {
  const { name } = pod.metadata
  await kubectl.apply([pod])
  await kubectl('wait', '--for=condition=Ready', '--timeout=180s', `pod/${name}`).catch(
    async (error) => {
      throw new Error(`${error}\n${await kubectl('describe', `pod/${name}`)}`)
    },
  )
}

/** What a shell prints in the mount namespace of the kubelet. */
function inKubelet(node: Node, script: string): Promise<string> {
  return node.shell(`nsenter --target "$(pgrep -x kubelet)" --mount -- ${script}`)
}

async function resolverFollows(node: Node): Promise<string> {
  const before = await node.succeed('readlink', '/etc/resolv.conf')
  await node.shell('echo "nameserver 203.0.113.53" >/etc/new; mv /etc/new /etc/resolv.conf')
  const seen = await inKubelet(node, 'cat /etc/resolv.conf')
  await node.succeed('ln', '-sf', before.trim(), '/etc/resolv.conf')
  return matching(seen, /^nameserver 203\.0\.113\.53$/m)
}

/** With grace for pods the kubelet asks logind to wait, and for more time than logind gives by itself. */
async function inhibits(node: Node): Promise<string> {
  await node.shell(`config=/var/lib/kubelet/config.yaml
sed -i '/^shutdownGracePeriod/d' $config
printf 'shutdownGracePeriod: 30s\\nshutdownGracePeriodCriticalPods: 10s\\n' >>$config
systemctl restart kubelet`)
  const list = () => node.succeed('systemd-inhibit', '--list')
  const held = await until('an inhibitor of the kubelet', async () => {
    const inhibitors = await list()
    return inhibitors.includes('kubelet') && inhibitors
  })
  await node.succeed('test', '-e', '/etc/systemd/logind.conf.d/99-kubelet.conf')
  return matching(held, /kubelet .*delay/)
}

async function deviceAppears(node: Node): Promise<string> {
  const device = (
    await node.shell('truncate --size=1M /tmp/disk; losetup --find --show /tmp/disk')
  ).trim()
  const seen = await inKubelet(node, `ls ${device}`)
  await node.succeed('losetup', '--detach', device)
  return seen.trim()
}
