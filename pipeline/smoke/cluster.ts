import { type ImageSpec, localRef } from '../plan/spec.js'
import { type Node, until } from './node.js'
import type { Images } from './setting.js'

/** kubectl on a node, as its administrator. */
export type Kubectl = ((...args: string[]) => Promise<string>) & {
  apply(objects: readonly object[]): Promise<void>
}

/** Where `copyKubectl` puts it. */
export const kubectlProgram = '/opt/kubectl/kubectl'

/** kubectl, out of the image of the control plane, with the kubeconfig of the node's administrator. */
export async function copyKubectl(node: Node, specs: Images): Promise<Kubectl> {
  const ref = localRef(specs['control-plane'] as ImageSpec)
  // A mount would be gone with the next start of the machine.
  await node.shell(`root=$(mktemp -d)
ctr --namespace k8s.io images mount ${ref} "$root"
mkdir -p /opt/kubectl
cp -L "$root/usr/local/bin/kubectl" ${kubectlProgram}
ctr --namespace k8s.io images unmount --rm "$root"
rmdir "$root"`)
  const config = '--kubeconfig=/etc/kubernetes/admin.conf'
  const kubectl = (...args: string[]) => node.succeed(kubectlProgram, config, ...args)
  const apply = async (objects: readonly object[]) => {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
    let complaint = ''
    const applied = async () => {
      const outcome = await node.run(kubectlProgram, [config, 'apply', '--filename=-'], input)
      complaint = outcome.stderr
      return outcome.status === 0
    }
    // An API server that has just started, on a machine that is emulated above all, may not answer in time.
    await until('kubectl applies it', applied, 30).catch((error) => {
      throw new Error(`${error}\n${complaint}`)
    })
  }
  return Object.assign(kubectl, { apply })
}

/** Waits until a node is registered and Ready, two minutes for each. */
export async function nodeReady(kubectl: Kubectl, { name }: Node): Promise<void> {
  const known = () => kubectl('get', `node/${name}`, '--output=name').catch(() => '')
  await until(`node ${name} is registered`, known, 120)
  await kubectl('wait', '--for=condition=Ready', '--timeout=120s', `node/${name}`)
}
