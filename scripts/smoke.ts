import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { componentTree } from '../images/components.js'
import { BuildError } from '../pipeline/errors.js'
import { type ImageSpec, planComponent, planImages } from '../pipeline/plan.js'
import { type Arch, platformOf } from '../pipeline/platform.js'
import {
  kubeadmVariant,
  parseRecipeRequest,
  type RecipeRequest,
} from '../pipeline/recipe/request.js'
import type { BuildRequest } from '../pipeline/request.js'
import { loadVariants, type Variants } from '../pipeline/variants.js'
import { chooseBase, prepareMirror } from './alpine.js'
import { prepareBuilder } from './builder-root.js'
import { succeed } from './command.js'
import { prepareEngine } from './engine/engine.js'
import { engineStep, withClient } from './engine/session.js'
import { exitWith } from './exit.js'
import { requirePrograms } from './host.js'
import { buildImages } from './images.js'
import { line } from './progress.js'
import { verifyPublished } from './published.js'
import { buildConformance } from './smoke/conformance.js'
import { smokeHardway } from './smoke/hardway.js'
import { smokeJoin } from './smoke/join.js'
import { keepKernelSettings } from './smoke/kernel.js'
import { verifyMachine } from './smoke/machine.js'
import { Node } from './smoke/node.js'
import { podImage, writePodImage } from './smoke/pod-image.js'
import { Report } from './smoke/report.js'
import { parseSmokeRequest, type SmokeMode, type SmokeRequest, smokeHelp } from './smoke/request.js'
import type { Setting } from './smoke/setting.js'
import { smokeStandalone } from './smoke/standalone.js'

/** What a mode needs, and what it does. */
const modes: Record<SmokeMode, { images: string[]; smoke(setting: Setting): Promise<void> }> = {
  standalone: { images: ['kubelet'], smoke: smokeStandalone },
  join: { images: ['kubelet', 'kube-proxy', 'control-plane', 'coredns'], smoke: smokeJoin },
  hardway: { images: ['kubelet', 'control-plane'], smoke: smokeHardway },
}

// A disk that others fill must not make a kubelet remove the images of the test or evict its pods.
const onFullDisk = {
  imageGCHighThresholdPercent: 100,
  evictionHard: { 'nodefs.available': '1Mi', 'imagefs.available': '1Mi' },
}

await exitWith(async () => {
  const facts = loadVariants()
  const request = parseSmokeRequest(process.argv.slice(2), facts)
  if (request === 'help') {
    process.stdout.write(smokeHelp)
    return
  }
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
  const folder = mkdtempSync(join(tmpdir(), 'kubelet-images-smoke-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const specs = await build(request, facts, folder)
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
})

/** Builds what the mode needs, for this machine, into the folder. */
async function build(
  request: SmokeRequest,
  facts: Variants,
  folder: string,
): Promise<Record<string, ImageSpec>> {
  const { mode, build: asked, conformance } = request
  const base = await chooseBase(asked, facts)
  // What a cluster with the variant flannel has for a network.
  const flannel = mode === 'join' && asked.variants.includes('flannel') ? ['flannel'] : []
  const specs = [...modes[mode].images, ...flannel].flatMap((image) => {
    // Only the kubelet comes in variants. kubeadm may come from another one.
    const variants = image === 'kubelet' ? kubeletVariants(mode, asked) : ['base']
    return planImages({ ...asked, base, images: [image], variants }, facts)
  })
  await verifyPublished(asked.kubernetes, facts)
  const mirror = await prepareMirror(asked, facts, specs)
  const engine = await prepareEngine(asked.engine)
  line(`engine: ${engine.description}`)
  await withClient(engine, async (client) => {
    await buildImages(client, facts, specs, mirror, folder)
    const builder = await prepareBuilder(client, facts.sources)
    if (conformance) await buildConformance(builder, facts, asked.kubernetes, folder)
    for (const name of await missingPrograms(request, facts)) {
      const component = planComponent(asked.kubernetes, facts, name)
      const platform = platformOf(asked.arches[0] as Arch)
      const tree = componentTree(builder, facts.sources, component, platform)
      await engineStep(name, () => tree.export(join(folder, 'programs')))
    }
  })
  // Of two variants of the kubelet the last.
  return Object.fromEntries(specs.map((spec) => [spec.image, spec]))
}

/** The variant that is tested comes last. */
function kubeletVariants(mode: SmokeMode, { variants }: BuildRequest): string[] {
  const kubeadm = mode === 'join' ? variants.map(kubeadmVariant) : []
  return [...new Set([...kubeadm, ...variants])]
}

/** Components that are compiled because this machine has not what the nodes need: nerdctl, or a containerd new enough. */
async function missingPrograms({ runtime, build }: SmokeRequest, facts: Variants) {
  const wanted = facts.kubernetes[build.kubernetes.minor]?.containerd ?? 1
  const version = await succeed('containerd', ['--version'])
  const [, major] = / v?(\d+)\./.exec(version) ?? []
  return [
    ...(Number(major) >= wanted ? [] : ['containerd']),
    ...(runtime === 'nerdctl' ? ['nerdctl'] : []),
  ]
}

/** Runs the mode on nodes that end with it, however it ends. */
async function run(
  { mode, runtime, build: { kubernetes }, conformance }: SmokeRequest,
  facts: Variants,
  specs: Readonly<Record<string, ImageSpec>>,
  folder: string,
  report: Report,
): Promise<void> {
  const { base, variant } = specs.kubelet as ImageSpec
  const recipe = (...flags: string[]) => {
    const image = ['--k8s', kubernetes.version, '--base', base, '--variant', variant]
    const place = ['--output', folder, '--pause-image', podImage, '--runtime', runtime]
    const request = parseRecipeRequest([...image, ...place, ...flags], facts) as RecipeRequest
    return { ...request, kubeletConfig: { ...request.kubeletConfig, ...onFullDisk } }
  }
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
