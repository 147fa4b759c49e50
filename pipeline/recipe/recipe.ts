import { readFileSync } from 'node:fs'
import { stringify } from 'yaml'
import { runScript } from './container.js'
import { certificatesStep, hardwayConfig, kubeconfigStep, pki } from './hardway.js'
import { byKubeadm, type ImageSource, type RecipeRequest } from './request.js'
import type { NodeFile } from './shell.js'
import { criSocket, dockershimSocket } from './sockets.js'
import {
  flagsAfter,
  flagsBefore,
  kubeletConfigFile,
  startFile,
  startScriptFile,
  unitFile,
} from './start.js'
import {
  containerdSteps,
  directoriesStep,
  dockerSteps,
  imageStep,
  kernelStep,
  kubeadmContainer,
  kubeletConfigStep,
  kubeletContainer,
  networkStep,
  onlyWithSystemd,
  pluginsStep,
  type Step,
  stepScript,
} from './steps.js'

/** Everything to do on a fresh machine with containerd, in order, to make it the node that was asked for. Pure. */
export function nodeRecipe(request: RecipeRequest): Step[] {
  const { dockershim, network, pauseImage, podCidr, runtime } = request
  return [
    ...images(request).map((source) => imageStep(source, runtime)),
    kernelStep,
    ...(dockershim ? dockerSteps : containerdSteps(pauseImage)),
    // dockershim runs the plugins where they are, in the container of the kubelet.
    ...(network === 'none' || dockershim ? [] : [pluginsStep(request)]),
    ...(network === 'bridge' ? [networkStep(podCidr)] : []),
    directoriesStep(request),
    ...modes[request.mode](request),
  ]
}

/** What the containers of a mode run from. */
function images({ mode, image, kubeadmImage }: RecipeRequest): ImageSource[] {
  return byKubeadm(mode) && kubeadmImage.ref !== image.ref ? [image, kubeadmImage] : [image]
}

/** A script that looks whether a machine can be the node, and changes nothing. */
export function checkScript({
  kubernetes,
  runtime,
  containerd,
  dockershim,
}: RecipeRequest): string {
  const text = readFileSync(new URL('check.sh', import.meta.url), 'utf8')
  const values = `release=${kubernetes}\nruntime=${runtime}\ncontainerd=${containerd}\ndockershim=${dockershim ? 'yes' : ''}`
  return text.replace(/^set -u$/m, `${values}\n$&`)
}

/** The recipe as one shell script, every step under its number and title. */
export function recipeScript(steps: readonly Step[]): string {
  return steps.map((step, i) => `# ${i + 1}. ${step.title}\n${stepScript(step)}\n`).join('\n')
}

const clusterConfigFile = '/etc/kubernetes/kubeadm.yaml'

function withoutSystemd(file: string): string {
  return onlyWithSystemd('^cgroupDriver: systemd', 'cgroupDriver: cgroupfs', file)
}

function configSteps(request: RecipeRequest, fields: object): Step[] {
  const step = kubeletConfigStep(kubeletConfiguration(request, fields))
  return [{ ...step, script: withoutSystemd(kubeletConfigFile) }]
}

const modes: Record<RecipeRequest['mode'], (request: RecipeRequest) => Step[]> = {
  standalone: standaloneSteps,
  init: initSteps,
  join: joinSteps,
  hardway: hardwaySteps,
}

/** A kubelet without a cluster, for the pods in /etc/kubernetes/manifests. */
function standaloneSteps(request: RecipeRequest): Step[] {
  const config = {
    staticPodPath: '/etc/kubernetes/manifests',
    podCIDR: request.podCidr,
    // Nobody is there to ask who may use the kubelet's API: it answers this machine alone, and only to read.
    address: '127.0.0.1',
    readOnlyPort: 10255,
    authentication: { anonymous: { enabled: false }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
  }
  const command = ['kubelet', `--config=${kubeletConfigFile}`, ...request.kubeletFlags]
  return [...configSteps(request, config), ...startSteps(command, request)]
}

/** The first node of a cluster, its control plane as static pods. */
function initSteps(request: RecipeRequest): Step[] {
  const { kubernetes, kubeadmApi, imageRepository } = request
  const apiVersion = `kubeadm.k8s.io/${kubeadmApi}`
  const documents = [
    {
      apiVersion,
      kind: 'InitConfiguration',
      nodeRegistration: { criSocket: socketOf(request) },
      ...(request.skipPhases.length > 0 && { skipPhases: request.skipPhases }),
    },
    {
      apiVersion,
      kind: 'ClusterConfiguration',
      kubernetesVersion: kubernetes,
      ...(imageRepository !== undefined && { imageRepository }),
      networking: { podSubnet: request.clusterCidr },
    },
    kubeletConfiguration(request),
  ]
  const content = documents.map((document) => stringify(document)).join('---\n')
  return [
    {
      id: 'cluster-config',
      title: 'Configuration of the cluster',
      files: [{ path: clusterConfigFile, content }],
      script: withoutSystemd(clusterConfigFile),
    },
    ...kubeadmSteps(['kubeadm', 'init', `--config=${clusterConfigFile}`], request),
  ]
}

/** Another node of a cluster: the address, token and hash that `kubeadm token create --print-join-command` prints. */
function joinSteps(request: RecipeRequest): Step[] {
  const { server, token, caCertHash, kubeadmApi } = request
  const config = {
    apiVersion: `kubeadm.k8s.io/${kubeadmApi}`,
    kind: 'JoinConfiguration',
    discovery: {
      bootstrapToken: { apiServerEndpoint: server, token, caCertHashes: [caCertHash] },
    },
    nodeRegistration: { criSocket: socketOf(request) },
  }
  // Arguments of a process can be read by everybody on the machine.
  const secret = {
    path: '/etc/kubernetes/kubeadm-join.yaml',
    content: stringify(config),
    mode: '600',
  }
  return kubeadmSteps(['kubeadm', 'join', `--config=${secret.path}`], request, secret)
}

/** A node of a cluster without kubeadm: certificates of its own, signed by the CA of the cluster. */
function hardwaySteps(request: RecipeRequest): Step[] {
  const config = { ...hardwayConfig, podCIDR: request.podCidr }
  const command = [
    'kubelet',
    `--config=${kubeletConfigFile}`,
    '--kubeconfig=/etc/kubernetes/kubelet.conf',
    '--register-node',
    ...request.kubeletFlags,
  ]
  return [
    certificatesStep(pki),
    kubeconfigStep(request.server),
    ...configSteps(request, config),
    ...startSteps(command, request),
  ]
}

/** A KubeletConfiguration: what every node has, what the release needs, and the fields of a mode. */
function kubeletConfiguration(request: RecipeRequest, fields: object = {}): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    ...fields,
    // As kubeadm has it; without systemd the step changes it.
    cgroupDriver: 'systemd',
    failSwapOn: false,
    ...request.kubeletConfig,
  }
}

/**
 * kubeadm waits for a kubelet that can only start with what kubeadm writes, so both run at once. `secret` is a file for kubeadm alone, and
 * is gone when it has ended.
 */
function kubeadmSteps(
  command: readonly string[],
  request: RecipeRequest,
  secret?: NodeFile,
): Step[] {
  const { kubeadmImage, entrypoint, kubeletFlags, runtime } = request
  const kubeadm = kubeadmContainer(kubeadmImage.ref, [
    ...command,
    `--ignore-preflight-errors=${ignoredChecks(request).join(',')}`,
  ])
  const written = ['/var/lib/kubelet/kubeadm-flags.env', kubeletConfigFile]
  const start = startSteps([...entrypoint, flagsBefore, ...kubeletFlags], request)
  const last = start.at(-1) as Step
  const there = written.map((file) => `[ -s ${file} ]`).join(' && ')
  return [
    ...start.slice(0, -1),
    {
      id: 'kubeadm',
      title: 'kubeadm, and the kubelet as soon as its configuration is there',
      files: secret ? [secret] : [],
      // What an earlier kubeadm has left that failed would start the kubelet before this one has looked at the node.
      script: `mkdir -p /var/lib/etcd
[ -s /etc/kubernetes/kubelet.conf ] || rm -f ${written.join(' ')}
(
${runScript(kubeadm, runtime === 'systemd' ? 'ctr' : runtime)}
) &
kubeadm=$!
while kill -0 $kubeadm 2>/dev/null && ! { ${there}; }; do sleep 0.2; done
if ${there}; then
  ${last.script}
fi
${secret ? `wait $kubeadm && joined=0 || joined=$?\nrm -f ${secret.path}\n(exit $joined)` : 'wait $kubeadm'}`,
    },
  ]
}

/** What kubeadm cannot see or need not have in a container. It asks Docker by the program docker, which is not in the image. */
function ignoredChecks({ dockershim }: RecipeRequest): string[] {
  return ['SystemVerification', 'Swap', ...(dockershim ? ['CRI'] : [])]
}

function socketOf({ dockershim }: RecipeRequest): string {
  return dockershim ? dockershimSocket : criSocket
}

/** The last step starts the kubelet, and starts it again. */
function startSteps(command: readonly string[], request: RecipeRequest): Step[] {
  const container = kubeletContainer(request, [...command, ...flagsAfter])
  const script: Step = {
    id: 'start-script',
    title: 'What starts the kubelet, now and after a restart, by what the host has then',
    files: [startScriptFile(container, request)],
  }
  const start = { id: 'start', title: 'Start the kubelet' }
  if (request.runtime !== 'systemd') return [script, { ...start, script: `sh ${startFile}` }]
  const unit: Step = {
    id: 'unit',
    title: 'A unit that keeps the kubelet running',
    files: [{ path: '/etc/systemd/system/kubelet.service', content: unitFile(), foreign: 'stop' }],
    script: 'systemctl daemon-reload',
  }
  return [script, unit, { ...start, script: 'systemctl enable --now kubelet.service' }]
}
