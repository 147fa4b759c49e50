import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { parseArch } from '../../pipeline/platform.js'
import { type PlatformImage, readArchive, unpackRoot } from '../_helpers/archive.js'
import { npm } from '../_helpers/command.js'
import { inNamespace } from '../_helpers/namespace.js'

// kube-proxy of the newest minor, whose nftables mode runs nft.

test.serial(
  'the image of v1.36.4 has an nft that talks to the kernel, and no conntrack',
  async (t) => {
    t.timeout(3_600_000)
    const folder = await mkdtemp(join(tmpdir(), 'kubelet-images-nftables-'))
    t.teardown(() => rm(folder, { recursive: true, force: true }))
    const image = ['--k8s', 'v1.36.4', '--image', 'kube-proxy', '--base', 'static']
    const build = await npm('build', [
      ...image,
      '--arch',
      parseArch(process.arch),
      '--output',
      folder,
    ])
    t.is(build.status, 0, build.stderr)
    const archive = join(folder, 'kube-proxy-v1.36.4-static.oci.tar')
    const [built] = await readArchive(archive, join(folder, 'unpacked'))
    const root = join(folder, 'root')
    await unpackRoot(built as PlatformImage, join(folder, 'unpacked'), root)
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
