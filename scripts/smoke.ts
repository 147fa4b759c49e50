import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BuildError } from '../pipeline/errors.js'
import { type ImageSpec, planImages } from '../pipeline/plan.js'
import { parseRecipeRequest, type RecipeRequest } from '../pipeline/recipe/request.js'
import type { BuildRequest } from '../pipeline/request.js'
import { loadVariants, type Variants } from '../pipeline/variants.js'
import { chooseBase, prepareMirror } from './alpine.js'
import { prepareEngine } from './engine/engine.js'
import { withClient } from './engine/session.js'
import { exitWith } from './exit.js'
import { requirePrograms } from './host.js'
import { buildImages } from './images.js'
import { line } from './progress.js'
import { verifyPublished } from './published.js'
import { smokeJoin } from './smoke/join.js'
import { Node } from './smoke/node.js'
import { podImage, writePodImage } from './smoke/pod-image.js'
import { Report } from './smoke/report.js'
import { parseSmokeRequest, type SmokeMode, type SmokeRequest, smokeHelp } from './smoke/request.js'
import { smokeStandalone } from './smoke/standalone.js'

/** What a mode needs. */
const imagesOf: Record<SmokeMode, string[]> = {
  standalone: ['kubelet'],
  join: ['kubelet', 'kube-proxy', 'control-plane'],
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
    iptables: 'iptables',
    pkill: 'procps',
    runc: 'runc',
  })
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
  { mode, build: asked }: SmokeRequest,
  facts: Variants,
  folder: string,
): Promise<Record<string, ImageSpec>> {
  const base = await chooseBase(asked, facts)
  const specs = imagesOf[mode].flatMap((image) => {
    // Only the kubelet comes in variants.
    const variants = image === 'kubelet' ? asked.variants : ['base']
    const request: BuildRequest = { ...asked, base, images: [image], variants }
    return planImages(request, facts)
  })
  await verifyPublished(asked.kubernetes, facts)
  const mirror = await prepareMirror(asked, facts, specs)
  const engine = await prepareEngine(asked.engine)
  line(`engine: ${engine.description}`)
  await withClient(engine, (client) => buildImages(client, facts, specs, mirror, folder))
  return Object.fromEntries(specs.map((spec) => [spec.image, spec]))
}

/** Runs the mode on nodes that end with it, however it ends. */
async function run(
  { mode, build: { kubernetes } }: SmokeRequest,
  facts: Variants,
  specs: Readonly<Record<string, ImageSpec>>,
  folder: string,
  report: Report,
): Promise<void> {
  const { base, variant } = specs.kubelet as ImageSpec
  const recipe = (...flags: string[]) =>
    parseRecipeRequest(
      [
        ...['--k8s', kubernetes.version, '--base', base, '--variant', variant],
        ...['--output', folder, '--pause-image', podImage, ...flags],
      ],
      facts,
    ) as RecipeRequest
  const nodes: Node[] = []
  const startNode = (name: string, address: string) =>
    report.check(`${name}: a machine with containerd`, async () => {
      const node = await Node.start(name, address, nodes.at(-1))
      nodes.push(node)
      await node.ctr('images', 'import', join(folder, 'pod.oci.tar'))
      return node
    })
  try {
    if (mode === 'standalone') {
      const node = await startNode('web', '10.99.0.1/24')
      await smokeStandalone(node, recipe('--mode', 'standalone'), report)
    } else {
      await smokeJoin({ startNode, recipe, specs, folder, report })
    }
  } catch (error) {
    for (const node of nodes) process.stderr.write(await node.logs())
    throw error
  } finally {
    for (const node of nodes.reverse()) node.stop()
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
