import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import anyTest, { type TestFn } from 'ava'
import { buildRoot } from '../_helpers/built-root.js'
import { succeed } from '../_helpers/command.js'
import { inNamespace } from '../_helpers/namespace.js'

// The kube-proxy image and the choice of iptables' mode, in network namespaces that end with each test.
const test = anyTest as TestFn<{ folder: string; root: string }>
const name = 'kube-proxy-v1.24.0-static.oci.tar'

test.before(async (t) => {
  t.timeout(3_600_000)
  const folder = await mkdtemp(join(tmpdir(), 'kubelet-images-kube-proxy-'))
  t.context = { folder, root: '' }
  const selection = ['--k8s', 'v1.24.0', '--image', 'kube-proxy', '--base', 'static']
  t.context.root = await buildRoot(folder, name, selection)
})

test.after.always(async (t) => {
  if (t.context.folder) await rm(t.context.folder, { recursive: true, force: true })
})

test.serial('kube-proxy is where kubeadm looks for it, with the programs it runs', async (t) => {
  const { root } = t.context
  const version = async (program: string, ...args: string[]) =>
    inNamespace(root, `image ${program} ${args.join(' ')}`)
  t.is(await version('/usr/local/bin/kube-proxy', '--version'), 'Kubernetes v1.24.0\n')
  t.regex(await version('iptables', '--version'), /^iptables v1\.8\.\d+ \(nf_tables\)\n$/)
  t.regex(
    await version('ip6tables-restore', '--version'),
    /^ip6tables-nft-restore v1\.8\.\d+ \(nf_tables\)\n$/,
  )
  t.regex(await version('ebtables', '--version'), /^ebtables v1\.8\.\d+ \(nf_tables\)\n$/)
  t.regex(await version('ipset', '--version'), /^ipset v7\.\d+, protocol version: \d+\n$/)
  t.regex(await version('modprobe', '--version'), /^kmod version \d+/)
  t.regex(await version('conntrack', '--version'), /^conntrack v1\.4\.\d+/)
  t.is(await succeed('find', [root, '-perm', '/6000']), '')
})

test.serial('ipset and ebtables talk to the kernel', async (t) => {
  const output = await inNamespace(
    t.context.root,
    `image ipset create cluster hash:ip,port
     image ipset add cluster 10.96.0.1,tcp:443
     image ipset save cluster
     image ebtables -t filter -A FORWARD -p IPv4 -j DROP
     image ebtables -t filter -L FORWARD`,
  )
  t.regex(output, /^add cluster 10\.96\.0\.1,tcp:443$/m)
  t.regex(output, /^-p IPv4 -j DROP/m)
})

const chooses = test.macro({
  async exec(t, rules: string, mode: string) {
    t.regex(
      await inNamespace(t.context.root, `${rules}\nimage iptables --version`),
      new RegExp(mode, 'm'),
    )
  },
  title: (title = '') => `iptables' mode: ${title}`,
})

const nft = '^iptables v[\\d.]+ \\(nf_tables\\)$'
const legacy = '^iptables v[\\d.]+ \\(legacy\\)$'

test.serial('nft without any rules', chooses, '', nft)
test.serial(
  'legacy with a legacy rule',
  chooses,
  'image iptables-legacy -A INPUT -j ACCEPT',
  legacy,
)
test.serial('legacy with a legacy chain', chooses, 'image iptables-legacy -t nat -N OWN', legacy)
test.serial(
  'legacy with a rule for IPv6',
  chooses,
  'image ip6tables-legacy -A INPUT -j ACCEPT',
  legacy,
)
test.serial(
  'nft after the legacy rules went',
  chooses,
  'image iptables-legacy -A INPUT -j ACCEPT\nimage iptables-legacy -F',
  nft,
)
test.serial(
  "nft with an administrator's nft rules",
  chooses,
  'image iptables-nft -A INPUT -j ACCEPT',
  nft,
)
const legacyRule = 'image iptables-legacy -A INPUT -j ACCEPT\n'
for (const hint of ['KUBE-IPTABLES-HINT', 'KUBE-KUBELET-CANARY']) {
  for (const command of ['iptables', 'ip6tables']) {
    const rules = `${legacyRule}image ${command}-nft -t mangle -N ${hint}`
    test.serial(`nft with ${command}'s ${hint}, whatever is legacy`, chooses, rules, nft)
  }
}
test.serial('an override to legacy', chooses, 'export IPTABLES_MODE=legacy', legacy)
test.serial('an override to nft', chooses, `${legacyRule}export IPTABLES_MODE=nft`, nft)
test.serial(
  'an override that is none',
  chooses,
  'export IPTABLES_MODE=fast',
  '^iptables: IPTABLES_MODE is "fast": use nft, legacy or auto\n$',
)

for (const mode of ['legacy', 'nft']) {
  test.serial(`kube-proxy cleans the rules of a host in mode ${mode}`, async (t) => {
    const output = await inNamespace(
      t.context.root,
      `ip link set lo up
       image iptables-${mode} -t nat -N KUBE-SERVICES
       image iptables-${mode} -t nat -A OUTPUT -m comment --comment 'kubernetes service portals' -j KUBE-SERVICES
       image /usr/local/bin/kube-proxy --cleanup || :
       echo rules:
       image iptables-${mode}-save -t nat`,
    )
    t.regex(output, /rules:/)
    t.notRegex(output.split('rules:')[1] as string, /KUBE-SERVICES/, output)
  })
}
