import { join } from 'node:path'
import { BuildError } from '../pipeline/facts/errors.js'
import type { Facts } from '../pipeline/facts/schema.js'
import { temporaryDirectory } from '../pipeline/host/temporary.js'
import { requirePrograms } from '../pipeline/host/tools.js'
import type { ImageSpec } from '../pipeline/plan/spec.js'
import { makeRecipeRequest, type RecipeValues } from '../pipeline/recipe/request.js'
import { buildForNodes } from '../pipeline/smoke/build.js'
import { smokeHardway } from '../pipeline/smoke/hardway.js'
import { smokeJoin } from '../pipeline/smoke/join.js'
import { keepKernelSettings } from '../pipeline/smoke/kernel.js'
import { verifyMachine } from '../pipeline/smoke/machine.js'
import { Node } from '../pipeline/smoke/node.js'
import { podImage, writePodImage } from '../pipeline/smoke/pod-image.js'
import { onFullDisk } from '../pipeline/smoke/recipe.js'
import { Report } from '../pipeline/smoke/report.js'
import type { SmokeMode, SmokeRequest } from '../pipeline/smoke/request.js'
import type { Images, Setting } from '../pipeline/smoke/setting.js'
import { smokeStandalone } from '../pipeline/smoke/standalone.js'

/** What a mode needs, and what it does. */
const modes: Record<SmokeMode, { images: string[]; smoke(setting: Setting): Promise<void> }> = {
  standalone: { images: ['kubelet'], smoke: smokeStandalone },
  join: { images: ['kubelet', 'kube-proxy', 'control-plane', 'coredns'], smoke: smokeJoin },
  hardway: { images: ['kubelet', 'control-plane'], smoke: smokeHardway },
}

export default async function smoke(request: SmokeRequest, facts: Facts): Promise<void> {
  await requirePrograms({
    containerd: 'containerd',
    ctr: 'containerd',
    curl: 'curl',
    ip: 'iproute2',
    openssl: 'openssl',
    iptables: 'iptables',
    pkill: 'procps',
    runc: 'runc',
    ...(request.runtime === 'docker' && { docker: 'docker.io', dockerd: 'docker.io' }),
  })
  await verifyMachine(request.build.variants)
  const folder = temporaryDirectory('smoke')
  const specs = await buildForNodes(request, modes[request.mode].images, facts, folder)
  await writePodImage(folder)
  const report = new Report((text) => {
    if (!request.json) process.stdout.write(`${text}\n`)
  })
  try {
    await run(request, facts, specs, folder, report)
  } catch (error) {
    throw new BuildError(`the smoke test failed: ${String(error)}`, { cause: error })
  } finally {
    if (request.json) process.stdout.write(`${JSON.stringify(report.checks, null, 2)}\n`)
  }
}

/** Runs the mode on nodes that end with it, however it ends. */
async function run(
  { mode, runtime, build: { kubernetes }, conformance }: SmokeRequest,
  facts: Facts,
  specs: Images,
  folder: string,
  report: Report,
): Promise<void> {
  const { base, variant } = specs.kubelet as ImageSpec
  const image = { k8s: kubernetes.version, base, variant, output: folder }
  const recipe = (values: RecipeValues) =>
    onFullDisk(makeRecipeRequest({ ...image, pauseImage: podImage, runtime, ...values }, facts))
  const restoreKernel = keepKernelSettings()
  const nodes: Node[] = []
  const startNode = (name: string, address: string) =>
    report.check(`${name}: a machine with containerd`, async () => {
      const programs = join(folder, 'programs/usr/local/bin')
      const docker = runtime === 'docker'
      const node = await Node.start({ name, address, programs, docker }, nodes.at(-1))
      nodes.push(node)
      const pod = join(folder, 'pod.oci.tar')
      await node.ctr('images', 'import', pod)
      if (docker) await node.succeed('docker', 'load', '--input', pod)
      return node
    })
  try {
    await modes[mode].smoke({ startNode, recipe, specs, folder, conformance, report })
  } catch (error) {
    for (const node of nodes) process.stderr.write(await node.logs())
    throw error
  } finally {
    for (const node of nodes.reverse()) node.stop()
    restoreKernel()
  }
  await report.check('nothing is left on this machine', () => leftovers(nodes))
}

/** Throws when a process, mount, control group or interface of the nodes is still there. */
async function leftovers(nodes: readonly Node[]): Promise<void> {
  for (const node of nodes) {
    const found = await node.leftovers()
    if (found.length > 0) throw new Error(`left of ${node.name}:\n${found.join('\n')}`)
  }
}
