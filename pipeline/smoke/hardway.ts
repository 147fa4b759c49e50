import { join } from 'node:path'
import { type ImageSpec, localRef } from '../plan/spec.js'
import { runScript } from '../recipe/container.js'
import { certificateFunctions, kubeconfig, pki } from '../recipe/hardway.js'
import { nodeRecipe } from '../recipe/recipe.js'
import { fileScript } from '../recipe/shell.js'
import type { Step } from '../recipe/steps.js'
import { copyKubectl, type Kubectl, nodeReady } from './cluster.js'
import { type Node, until } from './node.js'
import { webPod } from './pods.js'
import { followRecipe } from './recipe.js'
import { matching } from './report.js'
import type { Setting } from './setting.js'

/** A node and a control plane that trust nothing but certificates of their own CA, made by openssl. */
export async function smokeHardway({ startNode, recipe, specs, folder, report }: Setting) {
  const node = await startNode('node', '198.51.100.1/24')
  const server = `${node.address}:6443`
  const steps = nodeRecipe(recipe({ mode: 'hardway', server }))
  const controlPlane = specs['control-plane'] as ImageSpec
  await followRecipe(node, steps.slice(0, -1), report)
  await report.check('certificates of the control plane by the same CA', async () => {
    await node.shell(controlPlaneCertificates(node, server))
  })
  await report.check('the control plane answers', async () => {
    await node.ctr('images', 'import', join(folder, controlPlane.archive))
    for (const [name, command] of Object.entries(programs(node))) {
      await node.shell(startProgram(name, command, localRef(controlPlane)))
    }
    const ready = ['--silent', '--cacert', `${pki}/ca.crt`, `https://${server}/readyz`]
    await until('it is ready', async () => (await node.run('curl', ready)).stdout === 'ok', 120)
  })
  const kubectl = await copyKubectl(node, specs)
  await followRecipe(node, steps.slice(-1) as Step[], report)
  await report.check('the node is Ready', () => nodeReady(kubectl, node))
  await report.check('it is known by its certificate', () => knownByCertificate(kubectl, node))
  await report.check('the API server checks the certificate of the kubelet: logs and exec', () =>
    runPod(kubectl),
  )
  await report.check('without a certificate the kubelet shows nothing', async () => {
    const flags = ['--silent', '--cacert', `${pki}/ca.crt`, '--output', '/dev/null']
    const url = `https://${node.address}:10250/pods`
    return matching(
      (await node.run('curl', [...flags, '--write-out', '%{http_code}', url])).stdout,
      /^401$/,
    )
  })
}

/** Keys and certificates beside those of the node, and the administrator's kubeconfig. */
function controlPlaneCertificates({ address }: Node, server: string): string {
  const names = `DNS:kubernetes,DNS:kubernetes.default.svc,IP:10.96.0.1,IP:127.0.0.1,IP:${address}`
  const client = 'extendedKeyUsage=clientAuth'
  const content = kubeconfig(server, 'admin')
  return `(set -eu
cd ${pki}
requests=
${certificateFunctions}
certificate apiserver /CN=kube-apiserver 'extendedKeyUsage=serverAuth\\nsubjectAltName=${names}'
certificate apiserver-kubelet /O=system:masters/CN=kube-apiserver-kubelet-client ${client}
certificate admin /O=system:masters/CN=admin ${client}
openssl genrsa -out service-account.key 2048 2>/dev/null
openssl rsa -in service-account.key -pubout -out service-account.pub 2>/dev/null)
${fileScript({ path: '/etc/kubernetes/admin.conf', content })}`
}

/** The programs of the control plane and their flags, each in a container of its own. */
function programs({ address }: Node): Record<string, string[]> {
  const admin = '--kubeconfig=/etc/kubernetes/admin.conf'
  return {
    etcd: ['etcd', '--data-dir=/var/lib/etcd'],
    'kube-apiserver': [
      'kube-apiserver',
      `--advertise-address=${address}`,
      '--etcd-servers=http://127.0.0.1:2379',
      '--authorization-mode=Node,RBAC',
      '--service-cluster-ip-range=10.96.0.0/16',
      `--client-ca-file=${pki}/ca.crt`,
      `--tls-cert-file=${pki}/apiserver.crt`,
      `--tls-private-key-file=${pki}/apiserver.key`,
      `--kubelet-certificate-authority=${pki}/ca.crt`,
      `--kubelet-client-certificate=${pki}/apiserver-kubelet.crt`,
      `--kubelet-client-key=${pki}/apiserver-kubelet.key`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${pki}/service-account.pub`,
      `--service-account-signing-key-file=${pki}/service-account.key`,
    ],
    'kube-controller-manager': [
      'kube-controller-manager',
      admin,
      '--use-service-account-credentials',
      `--root-ca-file=${pki}/ca.crt`,
      `--service-account-private-key-file=${pki}/service-account.key`,
    ],
    'kube-scheduler': ['kube-scheduler', admin],
  }
}

function startProgram(name: string, command: string[], image: string): string {
  const mounts = ['/etc/hosts', '/etc/kubernetes', '/etc/resolv.conf', '/var/lib/etcd'].map(
    (path) => ({ path }),
  )
  const container = { name, image, command, mounts, life: 'detached', namespace: 'k8s.io' } as const
  return `mkdir -p /var/lib/etcd\n${runScript(container, 'ctr')}`
}

/** The API server tells the node by the name in its certificate, and lets it see its own objects alone. */
async function knownByCertificate(kubectl: Kubectl, node: Node): Promise<string> {
  const asNode = '--kubeconfig=/etc/kubernetes/kubelet.conf'
  await kubectl(asNode, 'get', `node/${node.name}`)
  const refused = await kubectl(asNode, 'get', 'secrets', '--all-namespaces').then(
    () => '',
    (error: Error) => error.message,
  )
  return matching(
    refused,
    new RegExp(`User "system:node:${node.name}" cannot list resource "secrets"`),
  )
}

async function runPod(kubectl: Kubectl): Promise<string> {
  const exists = () => kubectl('get', 'serviceaccount', 'default', '--output=name').catch(() => '')
  await until('the default service account is there', exists)
  await kubectl.apply([webPod(8081)])
  await kubectl('wait', '--for=condition=Ready', '--timeout=60s', 'pod/web')
  matching(await kubectl('logs', 'web'), /^serving as web$/m)
  return matching(
    await kubectl('exec', 'web', '--', '/pod', 'get', 'http://127.0.0.1:8080/'),
    /^web$/m,
  )
}
