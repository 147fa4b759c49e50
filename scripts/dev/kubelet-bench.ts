import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { table } from 'table'
import { stringify } from 'yaml'
import { prepareBuilder } from '../../pipeline/build/debian-root.js'
import { prepareEngine } from '../../pipeline/engine/choose.js'
import { engineStep, withClient } from '../../pipeline/engine/session.js'
import { parseKubernetesVersion } from '../../pipeline/facts/kubernetes-version.js'
import { parseArch, platformOf } from '../../pipeline/facts/platform.js'
import type { Facts } from '../../pipeline/facts/schema.js'
import { componentTree } from '../../pipeline/graph/component.js'
import { line } from '../../pipeline/host/progress.js'
import { temporaryDirectory } from '../../pipeline/host/temporary.js'
import { planComponent } from '../../pipeline/plan/components.js'
import type { KubernetesComponent } from '../../pipeline/plan/spec.js'
import { nodeRecipe } from '../../pipeline/recipe/recipe.js'
import { makeRecipeRequest } from '../../pipeline/recipe/request.js'
import { keepKernelSettings } from '../../pipeline/smoke/kernel.js'
import { verifyMachine } from '../../pipeline/smoke/machine.js'
import { NamespaceNode } from '../../pipeline/smoke/namespace-node.js'
import { until } from '../../pipeline/smoke/node.js'
import { podImage, writePodImage } from '../../pipeline/smoke/pod-image.js'
import { readyPods } from '../../pipeline/smoke/pods.js'
import { followRecipe, onFullDisk } from '../../pipeline/smoke/recipe.js'
import { Report } from '../../pipeline/smoke/report.js'

const release = 'v1.24.0'
const pods = 30
const seconds = 60

/**
 * Measures what the linker and the compiler flags of variants.json cost a kubelet that runs 30 pods, against the kubelets that
 * Go's own linker and inlining make.
 */
export default async function kubeletBench(_request: undefined, facts: Facts): Promise<void> {
  const kubernetes = parseKubernetesVersion(release, Object.keys(facts.kubernetes))
  const kubelet = planComponent(kubernetes, facts, 'kubelet') as KubernetesComponent
  const kubelets: [string, KubernetesComponent][] = [
    ['as in the image', kubelet],
    ["with Go's linker", { ...kubelet, linker: 'go' }],
    ["with Go's inlining", { ...kubelet, gcflags: [] }],
    ["with Go's linker and inlining", { ...kubelet, linker: 'go', gcflags: [] }],
  ]
  await verifyMachine([])
  const arch = parseArch(process.arch)
  const folder = temporaryDirectory('kubelet-bench')
  const engine = await prepareEngine(undefined)
  await withClient(engine, async (client) => {
    const builder = await prepareBuilder(client, facts)
    const platform = platformOf(arch)
    for (const [i, [name, component]] of kubelets.entries()) {
      const tree = componentTree(builder, component, platform)
      await engineStep(`kubelet ${name}`, () => tree.export(join(folder, String(i))))
    }
  })
  await writePodImage(folder, arch)
  const rows: string[][] = []
  for (const [i, [name]] of kubelets.entries()) {
    const program = join(folder, String(i), 'usr/bin/kubelet')
    rows.push([name, ...(await measure(program, folder, facts))])
    line(rows.at(-1)?.join(', ') ?? '')
  }
  const head = [`kubelet ${release}`, 'file', `${pods} pods Ready`, 'CPU per minute', 'memory']
  process.stdout.write(table([head, ...rows]))
}

/** Runs pods on a node by a kubelet, and gives the figures of a row. */
async function measure(program: string, folder: string, facts: Facts): Promise<string[]> {
  const values = { mode: 'standalone', k8s: release, variant: 'base', network: 'none' }
  const place = { output: folder, pauseImage: podImage }
  const request = onFullDisk(makeRecipeRequest({ ...values, ...place }, facts))
  const restoreKernel = keepKernelSettings()
  const node = await NamespaceNode.start({ name: 'bench', address: '198.51.100.1/24' })
  try {
    await node.ctr('images', 'import', join(folder, 'pod.oci.tar'))
    // Without the image and the container of it: the program runs on the node itself.
    await followRecipe(node, nodeRecipe(request).slice(1, -1), new Report(() => {}))
    const started = Date.now()
    const command = [program, '--config=/var/lib/kubelet/config.yaml', ...request.kubeletFlags]
    await node.shell(
      `mkdir -p /etc/kubernetes/manifests; setsid ${command.join(' ')} </dev/null >/var/log/kubelet.log 2>&1 &`,
    )
    const manifests = Array.from({ length: pods }, (_, i) => stringify(pausePod(`pod-${i}`)))
    for (const [i, manifest] of manifests.entries()) {
      await node.run('sh', ['-euc', `cat >/etc/kubernetes/manifests/${i}.yaml`], manifest)
    }
    await until('the pods are Ready', async () => (await readyPods(node)).length === pods, 120)
    const ready = (Date.now() - started) / 1000
    // What comes with the start of pods is over then.
    await sleep(20_000)
    const before = await cpuSeconds(node)
    await sleep(seconds * 1000)
    const used = (((await cpuSeconds(node)) - before) * 60) / seconds
    const status = await node.shell('cat /proc/$(pgrep -x kubelet)/status')
    const memory = Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1]) * 1024
    const { size } = await stat(program)
    return [
      `${(size / 1e6).toFixed(1)} MB`,
      `${ready.toFixed(1)} s`,
      `${used.toFixed(2)} s`,
      `${(memory / 1e6).toFixed(1)} MB`,
    ]
  } catch (error) {
    process.stderr.write(await node.logs())
    throw error
  } finally {
    node.stop()
    restoreKernel()
  }
}

/** A pod in the node's own network, which needs no CNI plugin. */
function pausePod(name: string) {
  const container = { name: 'pause', image: podImage, imagePullPolicy: 'Never', args: ['pause'] }
  const spec = { hostNetwork: true, terminationGracePeriodSeconds: 1, containers: [container] }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec }
}

/** Processor time of the kubelet so far; the kernel counts it in hundredths of a second, as user's and its own. */
async function cpuSeconds(node: NamespaceNode): Promise<number> {
  const fields = (await node.shell('cat /proc/$(pgrep -x kubelet)/stat')).split(') ')[1]?.split(' ')
  return (Number(fields?.[11]) + Number(fields?.[12])) / 100
}
