import { join } from 'node:path'
import { type ImageSpec, localRef } from '../plan/spec.js'
import { nodeNamespace, runScript } from '../recipe/container.js'
import { nodeRecipe } from '../recipe/recipe.js'
import type { RecipeRequest, RecipeValues } from '../recipe/request.js'
import { startFile } from '../recipe/start.js'
import { kubeadmContainer, type Step, stepScript } from '../recipe/steps.js'
import { copyKubectl, type Kubectl, nodeReady } from './cluster.js'
import { runConformance } from './conformance.js'
import { applyFlannel, importFlannel } from './flannel.js'
import { checkBooted } from './machine/checks.js'
import { startPrograms } from './machine/programs.js'
import { type Node, until } from './node.js'
import { podImage } from './pod-image.js'
import { webDaemons } from './pods.js'
import { hasNftables, switchToNftables, verifyProxies } from './proxy.js'
import { followRecipe } from './recipe.js'
import { matching } from './report.js'
import type { Images, Setting } from './setting.js'

/** A cluster of two nodes, by kubeadm: pods on both, traffic between them, a Service, logs and exec. */
export async function smokeJoin(setting: Setting): Promise<void> {
  const control = await setting.startNode('control', '198.51.100.1/24')
  const kubectl = await initialise(control, setting)
  const worker = await setting.startNode('worker', '198.51.100.2/24')
  await joinWorker(worker, control, kubectl, setting)
  await runPods([control, worker], kubectl, setting)
  if (control.booted) await checkBooted([control, worker], kubectl, setting.report)
  const { conformance } = setting
  if (conformance) await runConformance([control, worker], kubectl, conformance, setting)
}

/** A cluster of one node, by kubeadm. */
export async function smokeInit(setting: Setting): Promise<void> {
  const node = await setting.startNode('control', '198.51.100.1/24')
  const kubectl = await initialise(node, setting)
  await runPods([node], kubectl, setting)
  if (node.booted) await checkBooted([node], kubectl, setting.report)
}

/** A bridge on each node, and routes between them; flannel's own network for its variant. */
function networkOf({ specs }: Setting): { network?: string } {
  const { variant } = specs.kubelet as ImageSpec
  return variant.endsWith('cni') ? { network: 'bridge' } : {}
}

/** The control plane, by the recipe for it. */
async function initialise(node: Node, setting: Setting): Promise<Kubectl> {
  const { recipe, specs, report } = setting
  const init = recipe({ mode: 'init', imageRepository: 'localhost', ...networkOf(setting) })
  await report.check('images for what kubeadm asks for', () => nameImages(node, init, setting))
  const steps = nodeRecipe(init)
  await followRecipe(node, node.booted ? steps : withProxyConfig(steps), report)
  const kubectl = await copyKubectl(node, specs)
  if (init.network === 'flannel') {
    await report.check("flannel's DaemonSet, as its release has it", () =>
      applyFlannel(node, kubectl, setting),
    )
  }
  await report.check(`${node.name} is Ready`, () => nodeReady(kubectl, node))
  return kubectl
}

async function joinWorker(
  node: Node,
  control: Node,
  kubectl: Kubectl,
  setting: Setting,
): Promise<void> {
  const { recipe, specs, folder, report } = setting
  const proxy = specs['kube-proxy'] as ImageSpec
  await node.ctr('images', 'import', join(folder, proxy.archive))
  await node.ctr('images', 'tag', localRef(proxy), `localhost/kube-proxy:${proxy.kubernetes}`)
  const { kubeadmImage, network } = recipe({ mode: 'join', ...networkOf(setting) })
  if (network === 'flannel') await importFlannel(node, specs, folder)
  const print = 'token create --print-join-command'
  const command = await kubeadm(control, kubeadmImage.ref, print)
  const values = {
    ...{ mode: 'join', podCidr: podCidrs.worker },
    ...networkOf(setting),
    ...joinValues(command),
  }
  const right = nodeRecipe(recipe(values))
  await followRecipe(node, right.slice(0, -1), report)
  // Emulated they take minutes, and show nothing that namespaces do not.
  for (const [what, wrong] of node.booted ? [] : wrongValues(values.token)) {
    await report.check(`a wrong ${what} is refused, and nothing is left behind`, () =>
      refused(node, nodeRecipe(recipe({ ...values, ...wrong })).at(-1) as Step),
    )
  }
  await followRecipe(node, right.slice(-1), report)
  await report.check(`${node.name} is Ready`, () => nodeReady(kubectl, node))
  await report.check('its certificate was requested and issued', async () => {
    const requests = await kubectl('get', 'csr', '--output=wide')
    return matching(requests, /system:bootstrap:\w+ .*Approved,Issued/)
  })
  if (network === 'bridge') {
    await report.check('routes to the pods of the other node', () => routes(kubectl, control, node))
  }
}

async function runPods(
  nodes: readonly Node[],
  kubectl: Kubectl,
  { specs, report }: Setting,
): Promise<void> {
  const proxy = specs['kube-proxy'] as ImageSpec
  await kubectl.apply(webDaemons)
  const pods = await report.check('a pod on each node is Ready', () => webPods(kubectl, nodes))
  await report.check('kube-proxy runs on each node, from our image', () =>
    verifyProxies(kubectl, proxy),
  )
  const address = '--output=jsonpath={.spec.clusterIP}'
  const service = await kubectl('get', 'service', 'web', address)
  for (const { name, node } of pods) {
    for (const other of pods.filter((pod) => pod.name !== name)) {
      await report.check(`the pod on ${node} reaches the one on ${other.node}`, async () =>
        matching(await get(kubectl, name, `${other.ip}:8080`), new RegExp(`^${other.name}$`, 'm')),
      )
    }
    await report.check(`the Service answers on ${node}`, () =>
      serviceAnswers(kubectl, name, service),
    )
    await report.check(`it answers by its name on ${node}`, () =>
      serviceAnswers(kubectl, name, 'web'),
    )
    await report.check(`kubectl logs from ${node}`, async () =>
      matching(await kubectl('logs', name), new RegExp(`^serving as ${name}$`, 'm')),
    )
  }
  const [first] = nodes as [Node]
  if (first.booted) {
    await report.check("every program of kube-proxy's image starts", () =>
      startPrograms(first, { namespace: 'k8s.io', ref: localRef(proxy) }),
    )
  }
  if (!hasNftables(proxy)) return
  await report.check("kube-proxy's rules in nftables mode, and no others", () =>
    switchToNftables(first, kubectl),
  )
  for (const { name, node } of pods) {
    await report.check(`the Service answers on ${node} in nftables mode`, () =>
      serviceAnswers(kubectl, name, service),
    )
  }
}

/** What a pod gets from the Service by its address or name, once it answers there. */
async function serviceAnswers(kubectl: Kubectl, pod: string, host: string): Promise<string> {
  const answer = await until('the Service answers', () => get(kubectl, pod, host).catch(() => ''))
  return matching(answer, /^web-\w+$/m)
}

/** What a pod gets from an address over HTTP. */
function get(kubectl: Kubectl, pod: string, host: string): Promise<string> {
  return kubectl('exec', pod, '--', '/pod', 'get', `http://${host}/`)
}

const podCidrs = { control: '10.244.0.0/24', worker: '10.244.1.0/24' }

interface Pod {
  name: string
  node: string
  ip: string
}

/** kubeadm names an image for each program; most are in one of ours. */
async function nameImages(node: Node, init: RecipeRequest, setting: Setting): Promise<string> {
  const { specs, folder } = setting
  const archives = Object.values(specs).map(({ archive }) => join(folder, archive))
  for (const archive of archives) await node.ctr('images', 'import', archive)
  const kubeadmArchive = init.kubeadmImage.archive as string
  await node.succeed('ctr', `--namespace=${nodeNamespace}`, 'images', 'import', kubeadmArchive)
  const flags = `--kubernetes-version=${init.kubernetes} --image-repository=localhost`
  const list = await kubeadm(node, init.kubeadmImage.ref, `config images list ${flags}`)
  const names = list.split('\n').filter((name) => name.startsWith('localhost/'))
  for (const name of names) {
    const program = name.slice('localhost/'.length).split(':')[0] as string
    await node.ctr('images', 'tag', '--force', imageFor(program, specs), name)
  }
  return names.map((name) => name.slice('localhost/'.length)).join(' ')
}

function imageFor(program: string, specs: Images): string {
  if (program === 'pause') return podImage
  return localRef((specs[program] ?? specs['control-plane']) as ImageSpec)
}

/** Runs a kubeadm command on a node, as a container beside the others; gives its stdout. */
function kubeadm(node: Node, image: string, command: string): Promise<string> {
  const container = {
    ...kubeadmContainer(image, ['kubeadm', ...command.split(' ')]),
    name: 'kubeadm-command',
  }
  return node.shell(
    `mkdir -p /etc/kubernetes /var/lib/etcd /var/lib/kubelet\n${runScript(container, 'ctr')}`,
  )
}

/** A node in a network namespace of its own may not change the machine's limit of connections. */
function withProxyConfig(steps: readonly Step[]): Step[] {
  const config = `---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
conntrack:
  maxPerCore: 0
`
  return steps.map((step) => {
    if (step.id !== 'cluster-config') return step
    const files = step.files?.map((file) => ({ ...file, content: file.content + config }))
    return { ...step, ...(files && { files }) }
  })
}

/** `kubeadm join HOST:6443 --token … --discovery-token-ca-cert-hash …` as what `npm run recipe` takes. */
function joinValues(command: string) {
  const found = /kubeadm join (\S+) --token (\S+)\s+--discovery-token-ca-cert-hash (\S+)/.exec(
    command,
  )
  if (found === null) throw new Error(`no command to join in:\n${command}`)
  const [, server, token, hash] = found as unknown as [string, string, string, string]
  return { server, token, caCertHash: hash }
}

/** What may be wrong, and values with it. The id of a token that is not there is waited for. */
function wrongValues(token: string): [string, RecipeValues][] {
  const [id] = token.split('.')
  return [
    ['secret of the token', { token: `${id}.${'0'.repeat(16)}` }],
    ['hash of the CA', { caCertHash: `sha256:${'0'.repeat(64)}` }],
  ]
}

async function refused(node: Node, step: Step): Promise<string> {
  const { status, stdout, stderr } = await node.run('sh', ['-euc', stepScript(step)])
  if (status === 0) throw new Error(`kubeadm joined:\n${stdout}`)
  const files = await node.succeed('find', '/etc/kubernetes', '/var/lib/kubelet', '-type', 'f')
  if (files.trim() !== startFile) throw new Error(`left behind:\n${files}`)
  const containers = await node.succeed(
    'ctr',
    `--namespace=${nodeNamespace}`,
    'containers',
    'list',
    '--quiet',
  )
  if (containers !== '') throw new Error(`left behind: containers ${containers}`)
  return matching(stderr, /error execution phase [^\n]*/)
}

/** Between the nodes, as a router would have them; kubeadm gave each node its part of the pods' addresses. */
async function routes(kubectl: Kubectl, control: Node, worker: Node): Promise<string> {
  const path = 'jsonpath={range .items[*]}{.metadata.name}={.spec.podCIDR} {end}'
  const ranges = await kubectl('get', 'nodes', `--output=${path}`)
  const expected = `control=${podCidrs.control} worker=${podCidrs.worker}`
  if (ranges.trim() !== expected) throw new Error(`expected ${expected}, got ${ranges}`)
  await control.succeed('ip', 'route', 'add', podCidrs.worker, 'via', worker.address)
  await worker.succeed('ip', 'route', 'add', podCidrs.control, 'via', control.address)
  return expected
}

async function webPods(kubectl: Kubectl, nodes: readonly Node[]): Promise<Pod[]> {
  await kubectl('rollout', 'status', 'daemonset/web', '--timeout=120s')
  const fields = '{.metadata.name} {.spec.nodeName} {.status.podIP}'
  const output = `--output=jsonpath={range .items[*]}${fields}{"\\n"}{end}`
  const list = await kubectl('get', 'pods', '--selector=app=web', output)
  const pods = list
    .trim()
    .split('\n')
    .map((text) => text.split(' '))
  const found = pods.map(([, node]) => node).sort()
  const wanted = nodes.map(({ name }) => name).sort()
  if (found.join() !== wanted.join()) throw new Error(`pods on ${found.join()}`)
  return pods.map(([name = '', node = '', ip = '']) => ({ name, node, ip }))
}
