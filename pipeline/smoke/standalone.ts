import { stringify } from 'yaml'
import { nodeNamespace } from '../recipe/container.js'
import { nodeRecipe } from '../recipe/recipe.js'
import type { RecipeRequest } from '../recipe/request.js'
import { type Step, stepScript } from '../recipe/steps.js'
import { inImage, type PodContainers, podContainers } from './containers.js'
import { startPrograms } from './machine/programs.js'
import { type Node, until } from './node.js'
import { type ReadyPod, readyPods, webPod } from './pods.js'
import { followRecipe } from './recipe.js'
import { matching } from './report.js'
import type { Setting } from './setting.js'

const manifest = '/etc/kubernetes/manifests/web.yaml'
const hostPort = 8081
// The kubelet checks that it is a directory, so it must see it.
const hostPath = '/data'

/** A kubelet without a cluster and a static pod, from its start to its end, with everything that may happen between. */
export async function smokeStandalone({ startNode, recipe, report }: Setting): Promise<void> {
  const node = await startNode('web', '198.51.100.1/24')
  const request = recipe({ mode: 'standalone', hostPath: [hostPath] })
  const containers = podContainers(node, request)
  const steps = nodeRecipe(request)
  await followRecipe(node, steps, report)
  await node.run('sh', ['-euc', `cat >${manifest}`], stringify(webPod(hostPort, hostPath)))
  const pod = await report.check('a static pod is Ready after its manifest is there', () =>
    webIsReady(node, 120),
  )
  await report.check('it answers on its own address', () => answers(node, `http://${pod.ip}:8080/`))
  await report.check('it answers on its host port', () =>
    answers(node, `http://${node.address}:${hostPort}/`),
  )
  const container = await report.check('one container of it runs, and one sandbox', () =>
    oneContainer(containers),
  )
  await report.check('it has the network of its sandbox, and its own files', () =>
    sharedNetwork(node, containers),
  )
  await report.check('what the kubelet mounts is mounted on the node', () => volumes(node, pod))
  await report.check('a file of the pod is on the node, below the sub path', async () => {
    await containers.exec(container, '/pod', 'write', '/data/file', 'of the pod')
    const data = `/var/lib/kubelet/pods/${pod.uid}/volumes/kubernetes.io~empty-dir/data/part/file`
    return matching(await node.succeed('cat', data), /^of the pod$/)
  })
  await report.check('a file of the pod is in the directory of the node', async () => {
    await containers.exec(container, '/pod', 'write', '/host/file', 'on the node')
    return matching(await node.succeed('cat', `${hostPath}/file`), /^on the node$/)
  })
  await report.check('its log is below /var/log/pods', async () => {
    return matching(
      await node.shell('cat /var/log/pods/default_web-*/web/0.log'),
      /serving as [\w-]+/,
    )
  })
  await report.check('the kubelet killed: the pod goes on', async () => {
    await node.succeed('pkill', '-KILL', '-x', 'kubelet')
    return answers(node, `http://${pod.ip}:8080/`)
  })
  await report.check('the kubelet started again: the same container', async () => {
    await node.shell(stepScript(steps.at(-1) as Step))
    await webIsReady(node, 60)
    return same(container, await oneContainer(containers))
  })
  const service = request.dockershim ? 'docker' : 'containerd'
  await report.check(`${service} restarted: the same container`, async () => {
    await node.restart(service)
    await webIsReady(node, 60)
    return same(container, await oneContainer(containers))
  })
  for (const [command, output] of Object.entries(outputs(request))) {
    await report.check(`${command} runs in a container`, async () =>
      matching(await node.shell(inImage(request, command)), output).trim(),
    )
  }
  await report.check('a kubelet whose directory is not shared says what to do', () =>
    notShared(node, request),
  )
  if (node.booted) {
    if (request.runtime === 'systemd') {
      const image = { namespace: nodeNamespace, ref: request.image.ref }
      await report.check('every program of the image starts', () => startPrograms(node, image))
    }
    await report.check('the machine started again: the pod is Ready again', async () => {
      await node.reboot?.()
      await webIsReady(node, 120)
    })
  }
  await report.check('the manifest removed: no process and no mount of the pod', async () => {
    await node.succeed('rm', manifest)
    const running = async () =>
      [...(await containers.running('container')), ...(await containers.running('sandbox'))].length
    await until('nothing of it runs', async () => (await running()) === 0)
    const mounts = async () => (await node.succeed('cat', '/proc/mounts')).includes(pod.uid)
    await until('the mounts are gone', async () => !(await mounts()), 120)
  })
}

/** Programs of the image, and what they must print. */
function outputs({ kubernetes }: RecipeRequest): Record<string, RegExp> {
  return {
    'kubelet --version': new RegExp(`^Kubernetes ${kubernetes.replaceAll('.', '\\.')}\n$`),
    'mount --version': /^mount from util-linux 2\./,
    'iptables-nft -V': /^iptables v1\.8\.\d+ \(nf_tables\)\n$/,
    'iptables-legacy -V': /^iptables v1\.8\.\d+ \(legacy\)\n$/,
  }
}

/** The web pod, as the kubelet reports it, once it is Ready. */
function webIsReady(node: Node, seconds: number): Promise<ReadyPod> {
  const web = async () => (await readyPods(node)).find(({ name }) => name.startsWith('web'))
  return until('the pod is Ready', web, seconds)
}

async function answers(node: Node, url: string): Promise<string> {
  return matching(await node.succeed('curl', '--silent', '--fail', '--max-time', '5', url), /^web/)
}

/** The id of the container beside the sandbox. */
async function oneContainer(containers: PodContainers): Promise<string> {
  const ids = await containers.running('container')
  const sandboxes = await containers.running('sandbox')
  if (ids.length !== 1 || sandboxes.length !== 1) {
    throw new Error(`containers: ${ids.join(' ')}; sandboxes: ${sandboxes.join(' ')}`)
  }
  return ids[0] as string
}

/** The sandbox holds the network of a pod open for its containers. */
async function sharedNetwork(node: Node, containers: PodContainers): Promise<string> {
  const namespaces = async (kind: 'container' | 'sandbox') => {
    const [id] = await containers.running(kind)
    const pid = await containers.pid(id as string)
    return (await node.succeed('readlink', `/proc/${pid}/ns/net`, `/proc/${pid}/ns/mnt`)).split(
      '\n',
    )
  }
  const [[network, files], [ownNetwork, ownFiles]] = [
    await namespaces('sandbox'),
    await namespaces('container'),
  ]
  if (network !== ownNetwork || files === ownFiles) {
    throw new Error(`sandbox ${network} ${files}, container ${ownNetwork} ${ownFiles}`)
  }
  return network as string
}

async function volumes(node: Node, pod: ReadyPod): Promise<string> {
  const flags = ['--noheadings', '--list', '--output=TARGET']
  const mounts = await node.succeed('findmnt', ...flags)
  const below = `/var/lib/kubelet/pods/${pod.uid}`
  for (const path of ['volumes/kubernetes.io~empty-dir/memory', 'volume-subpaths/data/web/1']) {
    if (!mounts.includes(`${below}/${path}`))
      throw new Error(`no mount ${below}/${path}:\n${mounts}`)
  }
  return 'a tmpfs and a sub path'
}

async function notShared(node: Node, request: RecipeRequest): Promise<string> {
  const command = inImage(request, 'kubelet --config=/var/lib/kubelet/config.yaml')
  const { status, stderr } = await node.run('sh', ['-euc', command])
  if (status === 0) throw new Error('it started')
  return matching(stderr, /\/var\/lib\/kubelet is not shared with the node/)
}

function same(before: string, after: string): string {
  if (before !== after) throw new Error(`container ${before} became ${after}`)
  return after.slice(0, 12)
}
