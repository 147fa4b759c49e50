import { join } from 'node:path'
import { BuildError } from '../pipeline/facts/errors.js'
import type { Facts } from '../pipeline/facts/schema.js'
import { temporaryDirectory } from '../pipeline/host/temporary.js'
import type { ImageSpec } from '../pipeline/plan/spec.js'
import { makeRecipeRequest, type RecipeValues } from '../pipeline/recipe/request.js'
import { buildForNodes } from '../pipeline/smoke/build.js'
import { smokeHardway } from '../pipeline/smoke/hardway.js'
import { smokeInit, smokeJoin } from '../pipeline/smoke/join.js'
import { startMachines, verifyMachines } from '../pipeline/smoke/machines.js'
import type { Node } from '../pipeline/smoke/node.js'
import { podImage, writePodImage } from '../pipeline/smoke/pod-image.js'
import { onFullDisk } from '../pipeline/smoke/recipe.js'
import { Report } from '../pipeline/smoke/report.js'
import type { SmokeMode, SmokeRequest } from '../pipeline/smoke/request.js'
import type { Images, Setting } from '../pipeline/smoke/setting.js'
import { smokeStandalone } from '../pipeline/smoke/standalone.js'

const cluster = ['kubelet', 'kube-proxy', 'control-plane', 'coredns']

/** What a mode needs, and what it does. */
const modes: Record<SmokeMode, { images: string[]; smoke(setting: Setting): Promise<void> }> = {
  standalone: { images: ['kubelet'], smoke: smokeStandalone },
  init: { images: cluster, smoke: smokeInit },
  join: { images: cluster, smoke: smokeJoin },
  hardway: { images: ['kubelet', 'control-plane'], smoke: smokeHardway },
}

export default async function smoke(request: SmokeRequest, facts: Facts): Promise<void> {
  await verifyMachines(request)
  const folder = temporaryDirectory('smoke')
  const specs = await buildForNodes(request, modes[request.mode].images, facts, folder)
  await writePodImage(folder, request.arch)
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
  request: SmokeRequest,
  facts: Facts,
  specs: Images,
  folder: string,
  report: Report,
): Promise<void> {
  const { mode, runtime, machine, build, conformance } = request
  const machines = await startMachines(request, facts, folder)
  const { base, variant } = specs.kubelet as ImageSpec
  const image = { k8s: build.kubernetes.version, base, variant, output: machines.folder }
  const recipe = (values: RecipeValues) => {
    const made = makeRecipeRequest({ ...image, pauseImage: podImage, runtime, ...values }, facts)
    // A virtual machine has a disk of its own.
    return machine === 'vm' ? made : onFullDisk(made)
  }
  const nodes: Node[] = []
  const startNode = (name: string, address: string) =>
    report.check(`${name}: a machine with containerd`, async () => {
      const node = await machines.start(name, address)
      nodes.push(node)
      const pod = join(machines.folder, 'pod.oci.tar')
      await node.ctr('images', 'import', pod)
      if (runtime === 'docker') await node.succeed('docker', 'load', '--input', pod)
      return node
    })
  const setting = { startNode, recipe, specs, folder: machines.folder, conformance, report }
  try {
    await modes[mode].smoke(setting)
  } catch (error) {
    for (const node of nodes) process.stderr.write(await node.logs())
    throw error
  } finally {
    for (const node of nodes.reverse()) node.stop()
    machines.end()
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
