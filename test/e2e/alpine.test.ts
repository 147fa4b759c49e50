import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import anyTest, { type ExecutionContext, type TestFn } from 'ava'
import type { Arch } from '../../pipeline/facts/platform.js'
import { requirePrograms } from '../../pipeline/host/tools.js'
import { type PlatformImage, readArchive } from '../../pipeline/oci/read.js'
import type { AlpineLock } from '../../pipeline/plan/alpine-lock.js'
import type { SizeRow } from '../../pipeline/sizes/rows.js'
import { NamespaceNode } from '../../pipeline/smoke/namespace-node.js'
import { fileName, makePackage, packageFile } from '../_helpers/alpine/apk.js'
import { type Mirror, makeMirror, serveMirror } from '../_helpers/alpine/mirror.js'
import { unpackRoot } from '../_helpers/archive.js'
import { npm, succeed } from '../_helpers/command.js'
import { elfFacts } from '../_helpers/elf.js'
import { lastBuildLog } from '../_helpers/steps.js'

// The base alpine3.23 from a mirror on loopback that holds a real Alpine 3.23.
const test = anyTest as TestFn<Context>
type Context = { folder: string; mirror: Mirror; key: string }

const image = '--k8s v1.24.0 --image kubelet --variant base'.split(' ')
const name = 'kubelet-v1.24.0-alpine3.23'
const machines = { amd64: 'X86-64', arm64: 'AArch64' }

test.before(async (t) => {
  t.timeout(3_600_000)
  await requirePrograms({ readelf: 'binutils', zstd: 'zstd', containerd: 'containerd' })
  const folder = await mkdtemp(join(tmpdir(), 'kubelet-images-alpine-'))
  const output = ['--base', 'static', '--arch', 'amd64,arm64', '--output', folder]
  const build = await npm('build', [...image, ...output])
  if (build.status !== 0) throw new Error(build.stderr)
  const archive = join(folder, 'kubelet-v1.24.0-static.oci.tar')
  const images = await readArchive(archive, join(folder, 'static'))
  const roots = new Map<Arch, string>()
  for (const one of images) {
    const root = join(folder, `static-${one.arch}`)
    await unpackRoot({ ...one, layers: one.layers.slice(0, 1) }, join(folder, 'static'), root)
    roots.set(one.arch as Arch, root)
  }
  const content = images.map(({ config }) => config.rootfs.diff_ids[0]).join()
  const { folder: files, key } = await makeMirror(roots, content)
  t.context = { folder, mirror: await serveMirror(files), key }
})

test.after.always(async (t) => {
  await t.context.mirror?.close()
  if (t.context.folder) await rm(t.context.folder, { recursive: true, force: true })
})

/**
 * `npm run build` of the image on Alpine from the mirror, with the key of the mirror, into a folder. The password of the
 * mirror is in nothing that it prints.
 */
async function build(t: ExecutionContext<Context>, output: string, ...flags: string[]) {
  const { mirror, key, folder } = t.context
  const source = ['--base', 'alpine3.23', '--alpine-mirror', mirror.url, '--alpine-key', key]
  const args = [...image, ...source, ...flags, '--output', join(folder, output)]
  const result = await npm('build', args)
  t.notRegex(result.stdout + result.stderr, /s3cret/)
  return result
}

test.serial('images for amd64 and arm64 are built, and the lock is beside them', async (t) => {
  t.timeout(1_800_000)
  const { folder, mirror } = t.context
  const { status, stderr } = await build(t, 'dist', '--arch', 'amd64,arm64')
  t.is(status, 0, stderr)
  const files = [`${name}.lock.json`, `${name}.oci.tar`, 'sizes.json']
  t.deepEqual((await readdir(join(folder, 'dist'))).sort(), files)
  t.like((await sizes(folder))[0], { tag: 'v1.24.0-alpine3.23', base: 'alpine3.23', arch: 'amd64' })
  t.true(mirror.asked.includes('/v3.23/main/x86_64/APKINDEX.tar.gz'))
  t.notRegex(await readFile(join(folder, `dist/${name}.lock.json`), 'utf8'), /s3cret/)
  t.notRegex(await lastBuildLog(), /s3cret/)
  for (const one of await readArchive(join(folder, `dist/${name}.oci.tar`), join(folder, 'oci'))) {
    await unpackRoot(one, join(folder, 'oci'), join(folder, `root-${one.arch}`))
  }
})

for (const [arch, machine] of Object.entries(machines)) {
  test.serial(`the root for ${arch} is Alpine's, without apk`, async (t) => {
    const root = join(t.context.folder, `root-${arch}`)
    const read = (file: string) => readFile(join(root, file), 'utf8')
    t.is(await read('etc/alpine-release'), '3.23.6\n')
    t.regex(await read('usr/lib/os-release'), /^VERSION_ID=3\.23\.6$/m)
    t.regex(await read('etc/passwd'), /^root:x:0:0:/m)
    t.regex(await read('etc/ssl/certs/ca-certificates.crt'), /-----BEGIN CERTIFICATE-----/)
    t.regex(
      await read('etc/apk/repositories'),
      /^https:\/\/dl-cdn\.alpinelinux\.org\/alpine\/v3\.23\/main$/m,
    )
    for (const file of ['sbin/apk', 'etc/apk/keys', 'var/cache/apk', 'dev/null', 'etc/apko.json']) {
      t.false(existsSync(join(root, file)), file)
    }
    for (const file of [
      'bin/mount',
      'usr/bin/nsenter',
      'usr/sbin/iptables-legacy',
      'usr/bin/kubelet',
    ]) {
      t.true(existsSync(join(root, file)), file)
    }
    t.is(await succeed('readlink', [join(root, 'usr/bin/du')]), '/bin/busybox\n')
    t.is(await succeed('readlink', [join(root, 'usr/sbin/iptables')]), 'xtables-chooser\n')
    t.is(
      await succeed('stat', ['--format=%a', join(root, 'tmp'), join(root, 'root')]),
      '1777\n700\n',
    )
    t.is(await succeed('find', [root, '-type', 'f', '-perm', '/6000']), '')
  })

  test.serial(`every program for ${arch} is for ${arch}, its loader is there`, async (t) => {
    const root = join(t.context.folder, `root-${arch}`)
    const files = (await succeed('find', [root, '-type', 'f'])).trim().split('\n')
    const dynamic: string[] = []
    for (const file of files) {
      const facts = await elfFacts(file)
      if (facts === undefined) continue
      t.regex(facts.machine, new RegExp(machine), file)
      if (facts.interpreter === undefined) continue
      t.true(existsSync(join(root, facts.interpreter)), facts.interpreter)
      dynamic.push(file.slice(root.length))
    }
    t.true(dynamic.includes('/bin/busybox'))
    t.false(dynamic.includes('/usr/bin/kubelet'))
  })

  test.serial(`the lock names what is installed for ${arch}`, async (t) => {
    const { folder } = t.context
    const lock = await lockOf(folder)
    const locked = lock.packages[arch]?.map((one) => `${one.name}-${one.version} ${one.checksum}`)
    const database = await readFile(join(folder, `root-${arch}/lib/apk/db/installed`), 'utf8')
    const field = (block: string, letter: string) =>
      new RegExp(`^${letter}:(.*)$`, 'm').exec(block)?.[1]
    const installed = database.split('\n\n').filter(Boolean)
    t.deepEqual(
      installed.map((one) => `${field(one, 'P')}-${field(one, 'V')} ${field(one, 'C')}`),
      locked,
    )
    t.true(locked?.some((one) => one.startsWith('musl-1.2.5-')))
  })
}

test.serial('the lock builds the same image again, and asks for no index', async (t) => {
  t.timeout(300_000)
  const { folder, mirror } = t.context
  const lock = join(folder, `dist/${name}.lock.json`)
  const before = await sizes(folder)
  mirror.asked.length = 0
  const flags = ['--arch', 'amd64,arm64', '--alpine-lock', lock]
  const { status, stderr } = await build(t, 'dist', ...flags)
  t.is(status, 0, stderr)
  t.deepEqual(await sizes(folder), before)
  t.true(mirror.asked.length > 0 && mirror.asked.every((path) => path.endsWith('.apk')))
  const other = await build(t, 'dist', ...flags, '--apk', 'curl')
  t.is(other.status, 2)
  t.regex(other.stderr, /^the lock of image kubelet is of other packages/)
})

test.serial('more packages by --apk, without their setuid bits', async (t) => {
  t.timeout(600_000)
  const { folder } = t.context
  const { status, stderr } = await build(t, 'more', '--arch', 'amd64', '--apk', 'sudo')
  t.is(status, 0, stderr)
  const [one] = await readArchive(join(folder, `more/${name}.oci.tar`), join(folder, 'more/oci'))
  const root = join(folder, 'more/root')
  await unpackRoot(one as PlatformImage, join(folder, 'more/oci'), root)
  t.true(existsSync(join(root, 'usr/bin/sudo')))
  t.is(await succeed('stat', ['--format=%a', join(root, 'usr/bin/sudo')]), '755\n')
  t.is(await succeed('find', [root, '-perm', '/6000']), '')
})

test.serial('a package that there is not is named', async (t) => {
  t.timeout(600_000)
  const { status, stdout, stderr } = await build(t, 'never', '--arch', 'arm64', '--apk', 'nosuch')
  t.is(status, 1)
  t.is(stdout, '')
  t.regex(stderr, /no package "nosuch" in main and community of Alpine v3\.23 for aarch64/)
  t.deepEqual(await readdir(join(t.context.folder, 'never')), [])
})

type Forge = (t: ExecutionContext<Context>) => Promise<Buffer>

const refuses = test.macro<[Forge, RegExp]>({
  async exec(t: ExecutionContext<Context>, forge, message) {
    t.timeout(600_000)
    const { mirror, folder } = t.context
    const one = (await lockOf(folder)).packages.amd64?.find(({ name }) => name === 'mount')
    const path = `/v3.23/main/x86_64/mount-${one?.version}.apk`
    // On a port of its own, so that nothing comes from the engine's cache.
    const other = await serveMirror(mirror.folder)
    try {
      other.replaced.set(path, await forge(t))
      t.context.mirror = other
      const { status, stderr } = await build(t, 'forged', '--arch', 'amd64')
      t.is(status, 1, stderr)
      t.regex(stderr, message)
      t.is(stderr.trimEnd().split('\n').at(-1)?.includes(path), true, stderr)
      t.deepEqual(await readdir(join(folder, 'forged')), [])
    } finally {
      t.context.mirror = mirror
      await other.close()
    }
  },
  title: (title) => `${title} is refused`,
})

/** The package `mount` of the mirror with another program in it. */
async function forged(t: ExecutionContext<Context>) {
  const version = (await lockOf(t.context.folder)).packages.amd64?.find(
    ({ name }) => name === 'mount',
  )?.version as string
  const fields = { P: 'mount', V: version, A: 'x86_64' }
  const content = Buffer.from('#!/bin/sh\n')
  return makePackage(fields, [{ name: 'bin/mount', mode: 0o755, type: 'file', content }])
}

test.serial(
  'a package that the index does not vouch for',
  refuses,
  async (t) => packageFile(await forged(t)),
  /the checksum of the package is not the one in the signed index/,
)
test.serial(
  'a package with the right control part and other files',
  refuses,
  async (t) => {
    const other = await forged(t)
    const file = join(t.context.mirror.folder, 'v3.23/main/x86_64', fileName(other))
    const real = await readFile(file)
    // Each compressed part starts with the same ten bytes.
    const second = real.indexOf(real.subarray(0, 10), 10)
    return Buffer.concat([real.subarray(0, second), other.data])
  },
  /the checksum of the package's data is not the one in its control part/,
)

test.serial('an index that no trusted key has signed is refused', async (t) => {
  t.timeout(600_000)
  const { key } = t.context
  try {
    // Another key under the same name.
    t.context.key = join(t.context.folder, 'kubelet-images-test.rsa.pub')
    const script = 'openssl genrsa 2048 2>/dev/null | openssl rsa -pubout 2>/dev/null >"$1"'
    await succeed('sh', ['-c', script, 'sh', t.context.key])
    const { status, stderr } = await build(t, 'never', '--arch', 'amd64')
    t.is(status, 1)
    t.regex(stderr, /signature verification failed for repository index/)
    t.deepEqual(await readdir(join(t.context.folder, 'never')), [])
  } finally {
    t.context.key = key
  }
})

test.serial('a mirror that does not answer is said at once', async (t) => {
  const { mirror } = t.context
  t.context.mirror = { ...mirror, url: 'http://127.0.0.1:1025' }
  const { status, stderr } = await build(t, 'unreachable')
  t.context.mirror = mirror
  t.is(status, 1)
  t.regex(
    stderr,
    /^the Alpine mirror does not answer at http:\/\/127\.0\.0\.1:1025\/v3\.23\/main\/x86_64\/APKINDEX\.tar\.gz \(.*\): check --alpine-mirror, or choose --base static\n$/,
  )
  t.false(existsSync(join(t.context.folder, 'unreachable')))
})

test.serial('a mirror without that release is a wrong request', async (t) => {
  const { mirror } = t.context
  t.context.mirror = { ...mirror, url: `${mirror.url}/nothing` }
  const { status, stderr } = await build(t, 'unreachable')
  t.context.mirror = mirror
  t.is(status, 2)
  t.regex(stderr, /^the Alpine mirror answers 404 for .*\n$/)
})

test.serial('a node runs static pods from the image', async (t) => {
  t.timeout(1_800_000)
  const { mirror, key } = t.context
  const source = ['--base', 'alpine3.23', '--alpine-mirror', mirror.url, '--alpine-key', key]
  const flags = ['--mode', 'standalone', '--k8s', 'v1.24.0', ...source]
  const { status, stdout, stderr } = await npm('smoke', flags)
  t.is(status, 0, stderr)
  t.regex(stdout, /^✔ iptables-nft -V runs in a container/m)
  t.regex(stdout, /^✔ nothing is left on this machine/m)
})

const onAmd64 = process.arch === 'x64' ? test.serial : test.serial.skip

onAmd64('the amd64 image runs in containerd', async (t) => {
  t.timeout(600_000)
  const { folder } = t.context
  const node = await NamespaceNode.start({ name: 'alpine', address: '10.99.1.2/24' })
  // Not in test.after: what a test puts into the context is seen by nobody else.
  t.teardown(() => node.stop())
  await node.ctr('images', 'import', join(folder, `dist/${name}.oci.tar`))
  const expected: Record<string, RegExp> = {
    'kubelet --version': /^Kubernetes v1\.24\.0\n$/,
    'mount --version': /^mount from util-linux /,
    'iptables --version': /^iptables v1\.8\.\d+ \(nf_tables\)\n$/,
    'iptables-legacy --version': /^iptables v1\.8\.\d+ \(legacy\)\n$/,
    'du -s /etc/alpine-release': /^4\t/,
    'cat /etc/alpine-release': /^3\.23\.6\n$/,
  }
  for (const [command, output] of Object.entries(expected)) {
    const container = command.replaceAll(/\W+/g, '-')
    const flags = ['--rm', `localhost/kubelet:v1.24.0-alpine3.23`, container]
    t.regex(await node.ctr('run', ...flags, ...command.split(' ')), output, command)
  }
})

async function sizes(folder: string): Promise<SizeRow[]> {
  return JSON.parse(await readFile(join(folder, 'dist/sizes.json'), 'utf8'))
}

async function lockOf(folder: string): Promise<AlpineLock> {
  return JSON.parse(await readFile(join(folder, `dist/${name}.lock.json`), 'utf8'))
}
