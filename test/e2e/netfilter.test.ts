import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { requirePrograms } from '../../pipeline/host/tools.js'
import { type PlatformImage, readArchive, unpackRoot } from '../_helpers/archive.js'
import { npm, run, succeed } from '../_helpers/command.js'

// Rules that the image's programs make are in the kernel of the node, whose own programs must be able to read them. Here those of this
// machine's Debian, in a network namespace that ends with the test.

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

test.serial("the host's nft and iptables read what the image's have written", async (t) => {
  t.timeout(3_600_000)
  await requirePrograms({ iptables: 'iptables', unshare: 'util-linux' })
  const folder = await mkdtemp(join(tmpdir(), 'kubelet-images-netfilter-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const image = '--k8s v1.36.4 --image kube-proxy --base static --arch amd64'.split(' ')
  const { status, stderr } = await npm('build', [...image, '--output', folder])
  t.is(status, 0, stderr)
  const [unpacked, root] = ['unpacked', 'root'].map((name) => join(folder, name)) as [
    string,
    string,
  ]
  await mkdir(root)
  const archive = join(folder, 'kube-proxy-v1.36.4-static.oci.tar')
  const [built] = await readArchive(archive, unpacked)
  await unpackRoot(built as PlatformImage, unpacked, root)
  const host = await hostPrograms(join(folder, 'host'))
  await writeFile(join(folder, 'rules'), rules)
  const script = `
mkdir -p /usr/lib/nft
mount --bind ${root}/usr/lib/nft /usr/lib/nft
/usr/lib/nft/nft --file ${folder}/rules
${host} list ruleset
iptables=${root}/usr/sbin/iptables-nft
$iptables -N KUBE
${marks.map((rule) => `$iptables ${rule}`).join('\n')}
iptables-nft-save
`
  const made = await run('unshare', ['--net', '--mount', 'sh', '-euc', script])
  await run('rmdir', ['/usr/lib/nft'])
  t.is(made.status, 0, made.stderr)
  for (const name of ['set cluster-ips', 'map service-ips', 'set affinity', 'map typed']) {
    t.true(made.stdout.includes(`${name} {`), made.stdout)
  }
  for (const rule of marks) t.true(made.stdout.includes(`\n${rule}\n`), made.stdout)
})

/** The command of nft as Debian has it for this machine, without installing it. */
async function hostPrograms(folder: string): Promise<string> {
  await mkdir(folder)
  const packages =
    'nftables libnftables1 libnftnl11 libjansson4 libedit2 libbsd0 libxtables12 libmnl0 libgmp10 libmd0'
  const flags = ['-q', '-o', 'Acquire::Retries=5', '-o', 'APT::Sandbox::User=root']
  await succeed('apt-get', [...flags, 'download', ...packages.split(' ')], { cwd: folder })
  for (const name of await readdir(folder)) {
    await succeed('dpkg-deb', ['--extract', join(folder, name), join(folder, 'root')])
  }
  const libraries = ['usr/lib', 'lib'].map((path) => join(folder, 'root', path, 'x86_64-linux-gnu'))
  return `env LD_LIBRARY_PATH=${libraries.join(':')} ${join(folder, 'root/usr/sbin/nft')}`
}
