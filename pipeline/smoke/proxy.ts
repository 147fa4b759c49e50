import semver from 'semver'
import { parse, stringify } from 'yaml'
import type { ImageSpec } from '../plan/spec.js'
import type { Kubectl } from './cluster.js'
import { type Node, until } from './node.js'
import { matching } from './report.js'

/** Throws unless kubeadm's DaemonSet runs our image of kube-proxy on every node. */
export async function verifyProxies(kubectl: Kubectl, { kubernetes }: ImageSpec): Promise<string> {
  const proxy = ['--namespace=kube-system', 'daemonset/kube-proxy']
  await kubectl('rollout', 'status', ...proxy, '--timeout=120s')
  const output = '--output=jsonpath={.spec.template.spec.containers[0].image}'
  const image = await kubectl('get', ...proxy, output)
  if (image !== `localhost/kube-proxy:${kubernetes}`) throw new Error(`it runs ${image}`)
  return image
}

/** Whether kube-proxy has the nftables mode, behind no feature gate. */
export function hasNftables({ kubernetes }: ImageSpec): boolean {
  return semver.gte(kubernetes, 'v1.31.0')
}

/** kube-proxy starts again with another mode, and takes away the rules of the one before. */
export async function switchToNftables(node: Node, kubectl: Kubectl): Promise<string> {
  const system = '--namespace=kube-system'
  const map = JSON.parse(await kubectl('get', system, 'configmap/kube-proxy', '--output=json'))
  const config = parse(map.data['config.conf'])
  map.data['config.conf'] = stringify({ ...config, mode: 'nftables' })
  await kubectl.apply([map])
  const proxy = [system, 'daemonset/kube-proxy']
  await kubectl('rollout', 'restart', ...proxy)
  await kubectl('rollout', 'status', ...proxy, '--timeout=120s')
  const rules = await until('rules for the Service', async () => {
    const list = ['--', 'nft', 'list', 'table', 'ip', 'kube-proxy']
    const table = await kubectl('exec', ...proxy, ...list).catch(() => '')
    return table.includes('default/web/tcp') ? table : ''
  }).catch(async (error) => {
    throw new Error(`${error}\n${await kubectl('logs', ...proxy, '--tail=20')}`)
  })
  const before = await node.succeed('iptables-save', '--table', 'nat')
  if (before.includes('default/web')) throw new Error(`rules of iptables are left:\n${before}`)
  return matching(rules, /chain service-\S*default\/web\/tcp\S*/)
}
