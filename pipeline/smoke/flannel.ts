import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { type ImageSpec, localRef } from '../plan/spec.js'
import type { Kubectl } from './cluster.js'
import type { Node } from './node.js'
import type { Images, Setting } from './setting.js'

const root = '/opt/flannel'

/** Applies the manifest of flannel's release, which kubelets then run from our image of it. */
export async function applyFlannel(
  node: Node,
  kubectl: Kubectl,
  { specs, folder }: Setting,
): Promise<string> {
  await importFlannel(node, specs, folder)
  const manifest = await mountedManifest(node, specs)
  await kubectl.apply(parseAllDocuments(manifest).map((document) => document.toJS()))
  return imagesIn(manifest).join(' ')
}

/** Imports our image of flannel under the names that the manifest has for it. */
export async function importFlannel(node: Node, specs: Images, folder: string): Promise<void> {
  const spec = specs.flannel as ImageSpec
  await node.ctr('images', 'import', join(folder, spec.archive))
  for (const name of imagesIn(await mountedManifest(node, specs))) {
    await node.ctr('images', 'tag', '--force', localRef(spec), name)
  }
}

async function mountedManifest(node: Node, specs: Images): Promise<string> {
  await node.shell(`mountpoint -q ${root} || {
mkdir -p ${root}; ctr --namespace k8s.io images mount ${localRef(specs.flannel as ImageSpec)} ${root}; }`)
  return node.succeed('cat', `${root}/opt/bin/kube-flannel.yml`)
}

function imagesIn(manifest: string): string[] {
  return [
    ...new Set([...manifest.matchAll(/^ +image: (\S+)$/gm)].map(([, name]) => name as string)),
  ]
}
