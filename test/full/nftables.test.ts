import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { buildRoot } from '../_helpers/built-root.js'
import { inNamespace } from '../_helpers/namespace.js'

// kube-proxy of the newest minor, whose nftables mode runs nft.

test.serial(
  'the image of v1.36.4 has an nft that talks to the kernel, and no conntrack',
  async (t) => {
    t.timeout(3_600_000)
    const folder = await mkdtemp(join(tmpdir(), 'kubelet-images-nftables-'))
    t.teardown(() => rm(folder, { recursive: true, force: true }))
    const image = ['--k8s', 'v1.36.4', '--image', 'kube-proxy', '--base', 'static']
    const root = await buildRoot(folder, 'kube-proxy-v1.36.4-static.oci.tar', image)
    const output = await inNamespace(
      root,
      `image /usr/local/bin/kube-proxy --version
     image nft add table ip kube-proxy
     image nft --json list ruleset
     image conntrack --version || echo no conntrack`,
    )
    t.regex(output, /^Kubernetes v1\.36\.4$/m)
    const rules = JSON.parse(/^\{"nftables".*$/m.exec(output)?.[0] ?? '{}')
    t.like(rules.nftables?.[1], { table: { family: 'ip', name: 'kube-proxy' } })
    t.regex(output, /^no conntrack$/m)
  },
)
