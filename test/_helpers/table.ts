import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import anyTest, { type ExecutionContext, type TestFn } from 'ava'
import { compareDigests } from '../../pipeline/build/compare-builds.js'
import { loadFacts } from '../../pipeline/facts/load.js'
import { type Arch, allArches, parseArch, platformOf } from '../../pipeline/facts/platform.js'
import { requirePrograms } from '../../pipeline/host/tools.js'
import { lockHash } from '../../pipeline/inputs/lock.js'
import { type PlatformImage, readArchive } from '../../pipeline/oci/read.js'
import { planImages } from '../../pipeline/plan/images.js'
import type { BuildRequest } from '../../pipeline/plan/request.js'
import {
  loadPrograms,
  providedPrograms,
  type ReleasePrograms,
  requiredPrograms,
} from '../../pipeline/plan/required-executables.js'
import type { ImageSpec } from '../../pipeline/plan/spec.js'
import { readRows } from '../../pipeline/sizes/content.js'
import { loadMeasured } from '../../pipeline/sizes/figures.js'
import { recordedRows } from '../../pipeline/sizes/recorded.js'
import { findProgram, unpackRoot } from './archive.js'
import { npm, run, succeed } from './command.js'
import { elfFacts } from './elf.js'
import { parseBuildRequest } from './requests.js'
import { stepsRun } from './steps.js'

type Context = { folder: string }
const test = anyTest as TestFn<Context>
const facts = loadFacts()
const native = parseArch(process.arch)

/** Files of an image beside those that every release has, as `755 /usr/sbin/conntrack`. */
export interface OwnFiles {
  kubelet: string[]
  'kube-proxy': string[]
  /** Programs of kube-proxy's image that are not static. */
  dynamic?: DynamicFiles
}

/** A directory with programs, their libraries, and the loader that finds these there and nowhere else. */
export interface DynamicFiles {
  directory: string
  programs: string[]
  libraries: string[]
  loader: Record<Arch, string>
}

/** Modes and names of the files that every image has. */
const common = [
  ...['ethertypes', 'group', 'nsswitch.conf', 'passwd', 'protocols'].map((n) => `644 /etc/${n}`),
  '644 /etc/ssl/certs/ca-certificates.crt',
  ...['xtables-chooser', 'xtables-multi'].map((name) => `755 /usr/sbin/${name}`),
]
const kubeletFiles = [
  ...common,
  '755 /bin/busybox',
  '755 /usr/bin/kubelet',
  '755 /usr/bin/util-linux',
]
const proxyFiles = ['/usr/local/bin/kube-proxy', '/usr/sbin/ipset', '/usr/sbin/kmod']
const flannelPlugins = ['bridge', 'flannel', 'host-local', 'loopback', 'portmap']
const allPlugins = (facts.components.cni as { plugins: string[] }).plugins

/**
 * Tests of every image of a release on the static base, for every architecture: what is in it, and that the programs
 * for this machine run.
 */
export function testTable(release: string, own: OwnFiles): void {
  const flags = ['--k8s', release, '--base', 'static', '--json']
  const minor = release.slice(1).split('.').slice(0, 2).join('.')
  const table: Table = {
    release,
    programs: loadPrograms(minor).get(release) as ReleasePrograms,
    specs: planImages(parseBuildRequest(flags, facts) as BuildRequest, facts),
    dynamic: own.dynamic,
  }

  test.before(async (t) => {
    t.timeout(7_200_000)
    await requirePrograms({ readelf: 'binutils', zstd: 'zstd' })
    const folder = await mkdtemp(join(tmpdir(), 'kubelet-images-table-'))
    t.context = { folder }
    const { status, stderr } = await npm('build', [...flags, '--output', folder])
    if (status !== 0) throw new Error(stderr)
  })

  test.after.always(async (t) => {
    if (t.context.folder) await rm(t.context.folder, { recursive: true, force: true })
  })

  test.serial('the whole table again runs no step', async (t) => {
    t.timeout(600_000)
    const { status, stdout, stderr } = await npm('build', [...flags, '--output', t.context.folder])
    t.is(status, 0, stderr)
    t.deepEqual(await stepsRun(), [])
    t.is(JSON.parse(stdout).length, 18, 'six images for three architectures')
  })

  test.serial('the digests are those that are recorded for the lock', async (t) => {
    const recorded = recordedRows(table.specs, loadMeasured(), lockHash())
    const digests = compareDigests(recorded, await readRows(t.context.folder))
    t.is(digests.length, 18)
    for (const { image, arch, before, after } of digests) t.is(after, before, `${image} ${arch}`)
  })

  const kubelet = [...kubeletFiles, ...own.kubelet]
  const kubeadm = [...kubelet, '755 /usr/bin/crictl']
  const cni = '755 /opt/cni/bin/cni'
  const kubeProxy = [...common, ...proxyFiles.map((name) => `755 ${name}`), ...own['kube-proxy']]
  test.serial(holds, table, 'kubelet', 'base', kubelet, [])
  test.serial(holds, table, 'kubelet', 'flannel', [...kubelet, cni], flannelPlugins)
  test.serial(holds, table, 'kubelet', 'cni', [...kubelet, cni], allPlugins)
  test.serial(holds, table, 'kubelet', 'kubeadm', kubeadm, [])
  test.serial(holds, table, 'kubelet', 'kubeadm-cni', [...kubeadm, cni], allPlugins)
  test.serial(holds, table, 'kube-proxy', 'base', kubeProxy, [])
}

interface Table {
  release: string
  programs: ReleasePrograms
  specs: readonly ImageSpec[]
  dynamic: DynamicFiles | undefined
}

const holds = test.macro({
  async exec(t, table: Table, image: string, variant: string, files: string[], plugins: string[]) {
    t.timeout(300_000)
    const { folder } = t.context
    const tag = [table.release, ...(variant === 'base' ? [] : [variant]), 'static'].join('-')
    const unpacked = join(folder, `${image}-${variant}`)
    const images = await readArchive(join(folder, `${image}-${tag}.oci.tar`), unpacked)
    t.deepEqual(
      images.map(({ arch }) => arch),
      [...allArches],
    )
    for (const [i, arch] of allArches.entries()) {
      const root = join(folder, `root-${image}-${variant}-${arch}`)
      await unpackRoot(images[i] as PlatformImage, unpacked, root)
      const dynamic = image === 'kube-proxy' ? table.dynamic : undefined
      await verifyFiles(t, root, arch, files, dynamic)
      if (dynamic) await verifyDynamic(t, root, arch, dynamic)
      await verifyModules(t, root, table.release)
      await verifyPlugins(t, root, plugins, arch)
      verifyPrograms(t, table, root, image, variant)
      const isKubeadm = variant.startsWith('kubeadm')
      if (isKubeadm) t.is(await readlink(join(root, 'usr/bin/kubeadm')), 'kubelet')
      if (arch === native) await verifyCommands(t, table, root)
      if (isKubeadm && arch === native) await verifyKubeadm(t, root)
      await rm(root, { recursive: true })
    }
  },
  title: (_, _table, image, variant) => `${image}, variant ${variant}`,
})

/** Exactly these files and modes, every program static, stripped and for the architecture, every link to something. */
async function verifyFiles(
  t: ExecutionContext<Context>,
  root: string,
  arch: Arch,
  files: readonly string[],
  dynamic: DynamicFiles | undefined,
): Promise<void> {
  const lines = async (...args: string[]) =>
    (await succeed('find', [root, ...args])).split('\n').filter(Boolean).sort()
  const all = [...files, ...(dynamic ? linesOf(dynamic, arch) : [])]
  t.deepEqual(await lines('-type', 'f', '-printf', '%m /%P\n'), all.sort())
  t.deepEqual(await lines('-perm', '/6000'), [], 'no setuid bits')
  const directories = await lines('-mindepth', '1', '-type', 'd', '-printf', '%m /%P\\n')
  t.deepEqual(
    directories.filter((line) => !line.startsWith('755 ')),
    ['1777 /tmp'],
    'every other directory has mode 755',
  )
  t.true(directories.includes('755 /run'))
  t.is(await readlink(join(root, 'var/run')), '/run')
  t.deepEqual(await lines('-xtype', 'l'), [], 'no link to nothing')
  t.deepEqual(await lines('!', '-type', 'f', '!', '-type', 'l', '!', '-type', 'd'), [])
  for (const file of files) {
    const [mode, name] = file.split(' ') as [string, string]
    const found = await elfFacts(join(root, name))
    const expected = { machine: platformOf(arch).elf, stripped: true }
    t.deepEqual(found, mode === '755' ? expected : undefined, `${arch} ${name}`)
  }
}

/** What scanners ask Go's programs for: the modules that they were made of, and their versions. UPX packs that, too. */
async function verifyModules(
  t: ExecutionContext<Context>,
  root: string,
  release: string,
): Promise<void> {
  const kubernetes = `\tdep\tk8s.io/kubernetes\t${release}\t`
  const programs = {
    'usr/bin/kubelet': kubernetes,
    'usr/local/bin/kube-proxy': kubernetes,
    'opt/cni/bin/cni': '\tdep\tgithub.com/vishvananda/netlink\tv',
  }
  for (const [program, module] of Object.entries(programs)) {
    if (!existsSync(join(root, program))) continue
    const told = await succeed('go', ['version', '-m', join(root, program)])
    t.true(told.includes(module), `${program}: ${told.slice(0, 500)}`)
  }
}

function linesOf({ directory, programs, libraries, loader }: DynamicFiles, arch: Arch): string[] {
  return [
    ...[...programs, loader[arch]].map((name) => `755 ${directory}/${name}`),
    ...libraries.map((name) => `644 ${directory}/${name}`),
  ]
}

/** The programs ask for the loader in their directory, and everything that anything there needs is there. */
async function verifyDynamic(
  t: ExecutionContext<Context>,
  root: string,
  arch: Arch,
  { directory, programs, libraries, loader }: DynamicFiles,
): Promise<void> {
  const files = [...programs, ...libraries, loader[arch]]
  for (const name of files) {
    const file = join(root, directory, name)
    const interpreter = `${directory}/${loader[arch]}`
    const expected = { machine: platformOf(arch).elf, stripped: true }
    const asks = programs.includes(name) ? { ...expected, interpreter } : expected
    t.like(await elfFacts(file), asks, `${arch} ${name}`)
    const needed = await succeed('readelf', ['--wide', '--dynamic', file])
    for (const [, library] of needed.matchAll(/\(NEEDED\).*\[(.*)\]/g)) {
      t.true(files.includes(library as string), `${arch} ${name} needs ${library}`)
    }
  }
}

/** What variants.json says is provided, and what Kubernetes' programs execute, is found as they would find it. */
function verifyPrograms(
  t: ExecutionContext<Context>,
  { specs, programs }: Table,
  root: string,
  image: string,
  variant: string,
): void {
  const spec = specs.find((one) => one.image === image && one.variant === variant) as ImageSpec
  const required = requiredPrograms(spec, facts, programs)
  t.not(required.length, 0)
  for (const program of [...providedPrograms(spec, facts), ...required]) {
    t.truthy(findProgram(root, program), program)
  }
}

async function verifyPlugins(
  t: ExecutionContext<Context>,
  root: string,
  plugins: readonly string[],
  arch: Arch,
): Promise<void> {
  const folder = join(root, 'opt/cni/bin')
  const links = (await readdir(folder).catch(() => [])).filter((name) => name !== 'cni')
  t.deepEqual(links.sort(), [...plugins].sort())
  for (const plugin of plugins) {
    t.is(await readlink(join(folder, plugin)), 'cni')
    if (arch !== native) continue
    const { stdout } = await run(join(folder, plugin), [], { env: { CNI_COMMAND: 'VERSION' } })
    t.true(JSON.parse(stdout).supportedVersions.includes('0.4.0'), plugin)
  }
}

/** The programs say what they are. */
async function verifyCommands(
  t: ExecutionContext<Context>,
  { release }: Table,
  root: string,
): Promise<void> {
  const version = release.replaceAll('.', '\\.')
  const versions: Record<string, [string[], RegExp]> = {
    '/usr/bin/kubelet': [['--version'], new RegExp(`^Kubernetes ${version}\\n$`)],
    '/usr/bin/kubeadm': [['version', '--output=short'], new RegExp(`^${version}\\n$`)],
    '/usr/bin/crictl': [['--version'], /^crictl version v1\.\d+\.\d+\n$/],
    '/usr/local/bin/kube-proxy': [['--version'], new RegExp(`^Kubernetes ${version}\\n$`)],
  }
  for (const [program, [flags, expected]] of Object.entries(versions)) {
    if (!existsSync(join(root, program))) continue
    const { stdout, stderr } = await run(join(root, program), flags)
    t.regex(stdout + stderr, expected)
  }
}

/** kubeadm is one program with kubelet, and shows none of its flags. */
async function verifyKubeadm(t: ExecutionContext<Context>, root: string): Promise<void> {
  const help = await succeed(join(root, 'usr/bin/kubeadm'), ['join', '--help'])
  t.notRegex(help, /cadvisor|housekeeping|docker/)
}
