import { join } from 'node:path'
import { prepareBuilder } from '../build/debian-root.js'
import { buildPlanned, type Extras, verifyBuild } from '../build/prepare.js'
import { engineStep } from '../engine/session.js'
import { type Arch, platformOf } from '../facts/platform.js'
import type { Facts } from '../facts/schema.js'
import { componentTree } from '../graph/component.js'
import { succeed } from '../host/process.js'
import { purposes } from '../inputs/lock.js'
import { planComponent } from '../plan/components.js'
import { planImages } from '../plan/images.js'
import type { BuildRequest } from '../plan/request.js'
import { byKubeadm, kubeadmVariant } from '../recipe/request.js'
import { buildConformance } from './conformance.js'
import type { SmokeMode, SmokeRequest } from './request.js'
import type { Images } from './setting.js'

/** Builds what nodes of a mode need, its images and more, for this machine, into the folder; gives the images by name. */
export async function buildForNodes(
  request: SmokeRequest,
  images: readonly string[],
  facts: Facts,
  folder: string,
): Promise<Images> {
  const { mode, arch, build: asked, conformance } = request
  // What a cluster with the variant flannel has for a network.
  const flannel = byKubeadm(mode) && asked.variants.includes('flannel') ? ['flannel'] : []
  const specs = [...images, ...flannel].flatMap((image) => {
    // Only the kubelet comes in variants. kubeadm may come from another one.
    const variants = image === 'kubelet' ? kubeletVariants(mode, asked) : ['base']
    return planImages({ ...asked, images: [image], variants }, facts)
  })
  const build = { ...asked, output: folder }
  await verifyBuild(build, facts)
  const inputs = (host: Arch) => (conformance ? [purposes.conformance(host)] : [])
  const work: Extras['work'] = async (client) => {
    const builder = await prepareBuilder(client, facts, inputs)
    if (conformance) await buildConformance(builder, facts, asked.kubernetes, folder)
    for (const name of await missingPrograms(request, facts)) {
      const component = planComponent(asked.kubernetes, facts, name)
      const platform = platformOf(arch)
      const tree = componentTree(builder, component, platform)
      await engineStep(name, () => tree.export(join(folder, 'programs')))
    }
  }
  await buildPlanned(build, facts, specs, { inputs, work })
  // Of two variants of the kubelet the last.
  return Object.fromEntries(specs.map((spec) => [spec.image, spec]))
}

/** The variant that is tested comes last. */
function kubeletVariants(mode: SmokeMode, { variants }: BuildRequest): string[] {
  const kubeadm = byKubeadm(mode) ? variants.map(kubeadmVariant) : []
  return [...new Set([...kubeadm, ...variants])]
}

/** Components that are compiled because the nodes' machine has not what they need: nerdctl, or a containerd new enough. */
async function missingPrograms({ machine, runtime, build }: SmokeRequest, facts: Facts) {
  const wanted = facts.kubernetes[build.kubernetes.minor]?.containerd ?? 1
  const major = machine === 'vm' ? machineContainerd : await hostContainerd()
  return [...(major >= wanted ? [] : ['containerd']), ...(runtime === 'nerdctl' ? ['nerdctl'] : [])]
}

// Debian 13's.
const machineContainerd = 1

async function hostContainerd(): Promise<number> {
  const version = await succeed('containerd', ['--version'])
  return Number(/ v?(\d+)\./.exec(version)?.[1])
}
