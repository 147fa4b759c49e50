import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import anyTest, { type ExecutionContext, type TestFn } from 'ava'
import { loadFacts } from '../../pipeline/facts/load.js'
import { requirePrograms } from '../../pipeline/host/tools.js'
import { Apt } from '../../pipeline/inputs/apt.js'
import { writeLayer } from '../../pipeline/inputs/debs.js'
import { fetchInputs } from '../../pipeline/inputs/fetch.js'
import { storedPath } from '../../pipeline/inputs/store.js'
import { type PlatformImage, readArchive, unpackRoot } from '../_helpers/archive.js'
import { npm, run, succeed } from '../_helpers/command.js'

// Rules that the image's programs make are in the kernel of the node, whose own programs must be able to read them, and the other way round.
// Here those of Debian's releases, from their packages, in a network namespace that ends with the test.

// As kube-proxy's: sets and maps with and without a type of their own.
const rules = `table ip kube-proxy {
  set cluster-ips { type ipv4_addr; comment "Active ClusterIPs"; }
  map service-ips { type ipv4_addr . inet_proto . inet_service : verdict; }
  set affinity { type ipv4_addr; flags dynamic,timeout; timeout 3h; }
  map typed { typeof ip daddr . ip protocol . th dport : verdict; }
  chain services { ip daddr . meta l4proto . th dport vmap @service-ips; }
}
`

const marks = [
  '-A KUBE -m mark --mark 0x8000/0x8000 -j DROP',
  '-A KUBE -m mark ! --mark 0x4000/0x4000 -j RETURN',
  '-A KUBE -p tcp -m tcp --dport 80 -j DROP',
  '-A KUBE -p udp -m udp --dport 53 -j DROP',
]

// Made once: the root of kube-proxy's image, and a folder for those of Debian's releases.
const test = anyTest as TestFn<{ folder: string; image: string }>

test.before(async (t) => {
  t.timeout(3_600_000)
  await requirePrograms({ unshare: 'util-linux', gpgv: 'gpgv', xz: 'xz-utils' })
  const folder = await mkdtemp(join(tmpdir(), 'kubelet-images-netfilter-'))
  const image = join(folder, 'image')
  t.context = { folder, image }
  const flags = '--k8s v1.36.4 --image kube-proxy --base static --arch amd64'.split(' ')
  const { status, stderr } = await npm('build', [...flags, '--output', folder])
  t.is(status, 0, stderr)
  await mkdir(image)
  const unpacked = join(folder, 'unpacked')
  const [built] = await readArchive(join(folder, 'kube-proxy-v1.36.4-static.oci.tar'), unpacked)
  await unpackRoot(built as PlatformImage, unpacked, image)
  await writeFile(join(image, 'rules'), rules)
})

test.after.always(({ context }) => rm(context.folder, { recursive: true, force: true }))

for (const suite of ['bullseye', 'bookworm', 'trixie']) {
  test.serial(`nft and iptables of ${suite} read what the image's have written`, async (t) => {
    t.timeout(600_000)
    const { folder, image } = t.context
    const host = await debianRoot(suite, join(folder, suite))
    const read = await readBack(t, image, host, 'KUBE')
    for (const name of ['set cluster-ips', 'map service-ips', 'set affinity', 'map typed']) {
      t.true(read.includes(`${name} {`), read)
    }
  })

  test.serial(
    `the image's nft and iptables read what those of ${suite} have written`,
    async (t) => {
      t.timeout(600_000)
      const { folder, image } = t.context
      const host = await debianRoot(suite, join(folder, suite))
      const read = await readBack(t, host, image, 'HOST')
      t.true(read.includes('set cluster-ips {'), read)
    },
  )
}

/**
 * What the programs of one root read of the rules that those of another have written, in a network namespace of its own, where nothing of
 * this machine's is; the marks must be among them as they were written, in a chain of this name.
 */
async function readBack(
  t: ExecutionContext,
  writer: string,
  reader: string,
  chain: string,
): Promise<string> {
  const written = marks.map((rule) => rule.replace('KUBE', chain))
  const script = `
chroot ${writer} nft --file /rules
chroot ${reader} nft list ruleset
chroot ${writer} iptables-nft -N ${chain}
${written.map((rule) => `chroot ${writer} iptables-nft ${rule}`).join('\n')}
chroot ${reader} iptables-nft-save`
  const { status, stdout, stderr } = await run('unshare', [
    '--net',
    '--mount',
    'sh',
    '-euc',
    script,
  ])
  t.is(status, 0, stderr)
  for (const rule of written) t.true(stdout.includes(`\n${rule}\n`), stdout)
  return stdout
}

/** A root with nft and iptables of a release of Debian, for chroot; made once. */
async function debianRoot(suite: string, folder: string): Promise<string> {
  const root = join(folder, 'root')
  if (existsSync(root)) return root
  const { sources } = loadFacts()
  const indexes = join(folder, 'indexes')
  await mkdir(indexes, { recursive: true })
  const url = process.env.DEBIAN_MIRROR ?? (sources.places.debian[0] as string)
  const apt = await Apt.open(indexes, 'amd64', [{ archive: 'debian', url, name: suite }])
  const files = (await apt.closure(['nftables', 'iptables'])).map((file) => ({
    ...file,
    locked: '20261126T000000Z',
    for: ['test'],
  }))
  await fetchInputs(files, { sources, say: () => {} })
  await mkdir(join(root, 'usr'), { recursive: true })
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    await mkdir(join(root, 'usr', name))
    await symlink(`usr/${name}`, join(root, name))
  }
  const layer = join(folder, 'layer')
  await writeLayer(
    files.map((file) => storedPath(file)),
    layer,
  )
  // Packages of old have directories in the place of such links.
  const into = ['--extract', `--file=${layer}`, `--directory=${root}`, '--keep-directory-symlink']
  await succeed('tar', into)
  // nft of Debian 11 cannot write sets of such a type, and must read them.
  await writeFile(join(root, 'rules'), rules.replace(/^.* typeof .*$/m, ''))
  return root
}
