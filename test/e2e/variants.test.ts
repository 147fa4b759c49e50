import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import anyTest, { type TestFn } from 'ava'
import type { SizeRow } from '../../pipeline/sizes.js'
import { loadVariants } from '../../pipeline/variants.js'
import { type PlatformImage, readArchive, unpackRoot } from '../_helpers/archive.js'
import { npm, run, succeed } from '../_helpers/command.js'

// Every variant of the kubelet image on amd64: what it adds, and that it runs.
const test = anyTest as TestFn<{ folder: string; rows: SizeRow[] }>
const facts = loadVariants()
const allPlugins = (facts.components.cni as { plugins: string[] }).plugins
const flannelPlugins = ['bridge', 'flannel', 'host-local', 'loopback', 'portmap']

test.before(async (t) => {
  t.timeout(3_600_000)
  const folder = await mkdtemp(join(tmpdir(), 'kubelet-images-variants-'))
  const selection = [
    '--k8s',
    'v1.24.0',
    '--image',
    'kubelet',
    '--base',
    'static',
    '--arch',
    'amd64',
  ]
  const build = await npm('build', [...selection, '--json', '--output', folder])
  if (build.status !== 0) throw new Error(build.stderr)
  t.context = { folder, rows: JSON.parse(build.stdout) }
})

test.after.always(async (t) => {
  if (t.context.folder) await rm(t.context.folder, { recursive: true, force: true })
})

const holds = test.macro({
  async exec(t, variant: string, commands: string[], plugins: string[]) {
    const { folder } = t.context
    const tag = variant === 'base' ? 'v1.24.0-static' : `v1.24.0-${variant}-static`
    const [image] = await readArchive(join(folder, `kubelet-${tag}.oci.tar`), join(folder, variant))
    const root = join(folder, `root-${variant}`)
    await unpackRoot(image as PlatformImage, join(folder, variant), root)
    const kubernetes = ['crictl', 'kubeadm', 'kubelet']
    const found = (await readdir(join(root, 'usr/bin'))).filter((name) => kubernetes.includes(name))
    t.deepEqual(found.sort(), commands)
    const installed = await readdir(join(root, 'opt/cni/bin')).catch(() => [])
    t.deepEqual(installed.filter((name) => name !== 'cni').sort(), [...plugins].sort())
    t.is(await succeed('find', [root, '-perm', '/6000']), '')
    for (const command of commands) {
      const { stdout, stderr } = await run(join(root, 'usr/bin', command), versionOf[command] ?? [])
      t.regex(stdout + stderr, /v1\.(24|30)\.0/, command)
    }
    for (const plugin of plugins) {
      t.is(await readlink(join(root, 'opt/cni/bin', plugin)), 'cni')
      const env = { CNI_COMMAND: 'VERSION' }
      const { stdout } = await run(join(root, 'opt/cni/bin', plugin), [], { env })
      t.true(JSON.parse(stdout).supportedVersions.includes('0.4.0'), plugin)
    }
  },
  title: (_, variant) => `variant ${variant}`,
})

const versionOf: Record<string, string[]> = {
  kubelet: ['--version'],
  kubeadm: ['version', '--output=short'],
  crictl: ['--version'],
}

test.serial(holds, 'base', ['kubelet'], [])
test.serial(holds, 'flannel', ['kubelet'], flannelPlugins)
test.serial(holds, 'cni', ['kubelet'], allPlugins)
test.serial(holds, 'kubeadm', ['crictl', 'kubeadm', 'kubelet'], [])
test.serial(holds, 'kubeadm-cni', ['crictl', 'kubeadm', 'kubelet'], allPlugins)

test.serial("kubeadm shows none of kubelet's flags", async (t) => {
  const root = join(t.context.folder, 'root-kubeadm')
  const help = await succeed(join(root, 'usr/bin/kubeadm'), ['join', '--help'])
  t.notRegex(help, /cadvisor|housekeeping|docker/)
})
