import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import anyTest, { type TestFn } from 'ava'
import { requirePrograms } from '../../pipeline/host/tools.js'
import { blobFile, type PlatformImage, readArchive } from '../../pipeline/oci/read.js'
import type { SizeRow } from '../../pipeline/sizes/rows.js'
import { findProgram, unpackRoot } from '../_helpers/archive.js'
import { baseImage, npm, run, succeed } from '../_helpers/command.js'
import { stepsRun } from '../_helpers/steps.js'

// A real build of v1.24.0 for every architecture, and what is in the archive.
const test = anyTest as TestFn<{ folder: string; output: string; archive: string }>
const name = 'kubelet-v1.24.0-static.oci.tar'

test.before(async (t) => {
  await requirePrograms({ skopeo: 'skopeo', zstd: 'zstd' })
  const folder = await mkdtemp(join(tmpdir(), 'kubelet-images-build-'))
  const output = join(folder, 'dist')
  t.context = { folder, output, archive: join(output, name) }
})

test.after.always(async (t) => {
  if (t.context.folder) await rm(t.context.folder, { recursive: true, force: true })
})

test.serial('all architectures are built', async (t) => {
  t.timeout(3_600_000)
  const { status, stdout, stderr } = await npm('build', [
    ...baseImage,
    '--output',
    t.context.output,
  ])
  t.is(status, 0, stderr)
  t.regex(stderr, /engine: /, 'the engine is named')
  t.deepEqual((await readdir(t.context.output)).sort(), [name, 'sizes.json'])
  for (const arch of ['amd64', 'arm64', 'arm']) t.regex(stdout, new RegExp(` ${arch} `))
})

test.serial('a repeated build runs no step and gives the same digests', async (t) => {
  t.timeout(120_000)
  const before = await sizes(t.context.output)
  const { status, stderr } = await npm('build', [...baseImage, '--output', t.context.output])
  t.is(status, 0, stderr)
  t.deepEqual(await stepsRun(), [])
  t.deepEqual(await sizes(t.context.output), before)
})

test.serial('the archive holds what sizes.json and the digests say', async (t) => {
  t.timeout(300_000)
  const { archive, folder, output } = t.context
  const images = await readArchive(archive, join(folder, 'unpacked'))
  const rows = await sizes(output)
  t.deepEqual(
    images.map(({ arch }) => arch),
    ['amd64', 'arm64', 'arm'],
  )
  for (const [i, image] of images.entries()) {
    const row = rows[i] as SizeRow
    const root = join(folder, `root-${image.arch}`)
    await unpackRoot(image, join(folder, 'unpacked'), root)
    const { compression: _, ...facts } = row
    t.deepEqual(facts, {
      image: 'kubelet',
      tag: 'v1.24.0-static',
      kubernetes: 'v1.24.0',
      base: 'static',
      variant: 'base',
      arch: image.arch as SizeRow['arch'],
      compressed: image.layers.reduce((sum, { size }) => sum + size, 0),
      extracted: await sizeOfFiles(root),
      digest: image.digest,
    })
    for (const { digest } of image.layers) t.is(await fileDigest(folder, digest), digest)
    t.deepEqual(await diffIds(folder, image), image.config.rootfs.diff_ids)
    t.is(image.config.config.Entrypoint[0], 'kubelet')
  }
})

const nodePrograms = [
  ...['kubelet', 'mount', 'umount', 'nsenter', 'blkid', 'losetup', 'findmnt', 'find', 'du', 'sh'],
  ...['iptables', 'iptables-save', 'iptables-restore', 'ip6tables', 'iptables-nft', 'conntrack'],
  ...['iptables-legacy', 'ip6tables-nft', 'ip6tables-legacy', 'modprobe', 'ip'],
]
for (const arch of ['amd64', 'arm64', 'arm']) {
  test.serial(`the root for ${arch} has the node's programs`, async (t) => {
    const root = join(t.context.folder, `root-${arch}`)
    for (const program of nodePrograms) t.truthy(findProgram(root, program), program)
    t.regex(
      await readFile(join(root, 'etc/ssl/certs/ca-certificates.crt'), 'utf8'),
      /-----BEGIN CERTIFICATE-----/,
    )
  })
}

test.serial('skopeo reads the archive', async (t) => {
  const inspected = await succeed('skopeo', ['inspect', `oci-archive:${t.context.archive}`])
  t.like(JSON.parse(inspected), { Os: 'linux', Architecture: 'amd64' })
})

test.serial(
  'gzip by flag, for one architecture; other archives and their sizes stay',
  async (t) => {
    t.timeout(600_000)
    const { output } = t.context
    const others = [{ image: 'kubelet', tag: 'v1.0.0-static', arch: 'amd64' }]
    await writeFile(join(output, 'sizes.json'), JSON.stringify(others))
    const flags = ['--arch', 'arm64', '--compression', 'gzip', '--json', '--output', output]
    const { status, stdout, stderr } = await npm('build', [...baseImage, ...flags])
    t.is(status, 0, stderr)
    const [row, ...more] = JSON.parse(stdout) as SizeRow[]
    t.deepEqual(more, [])
    t.like(row, { arch: 'arm64', compression: 'gzip' })
    t.deepEqual(await sizes(output), [...others, row])
    const [image] = await readArchive(t.context.archive, join(t.context.folder, 'gzip'))
    for (const { mediaType } of (image as PlatformImage).layers) t.regex(mediaType, /\+gzip$/)
  },
)

test.serial('a failed build names the step and leaves earlier results alone', async (t) => {
  t.timeout(600_000)
  const output = join(t.context.folder, 'failed')
  await mkdir(output)
  await writeFile(join(output, name), 'earlier')
  // A proxy that nothing listens on: the source of this release cannot be had.
  const proxy = { GOPROXY: 'http://127.0.0.1:1', GONOSUMDB: 'nothing-cached' }
  // Its time would be asked for first.
  const env = { ...proxy, SOURCE_DATE_EPOCH: '0' }
  const flags = ['--k8s', 'v1.24.1', ...baseImage.slice(2), '--arch', 'amd64', '--output', output]
  const { status, stdout, stderr } = await npm('build', flags, { env })
  t.is(status, 1)
  t.is(stdout, '')
  t.regex(
    stderr,
    /kubelet v1\.24\.1-static linux\/amd64: kubelet: exit code \d+ of: sh \/images\/kubernetes\/compile\.sh/,
  )
  t.deepEqual(await readdir(output), [name])
  t.is(await readFile(join(output, name), 'utf8'), 'earlier')
})

test.serial('an interrupted build leaves nothing half done', async (t) => {
  t.timeout(120_000)
  const output = join(t.context.folder, 'interrupted')
  const controller = new AbortController()
  const flags = ['--k8s', 'v1.24.2', ...baseImage.slice(2), '--arch', 'amd64', '--output', output]
  const args = ['scripts/run.mjs', 'build', ...flags]
  const build = run('node', args, { signal: controller.signal })
  // Not before it has begun to write.
  while (!existsSync(output) || (await readdir(output)).length === 0) await sleep(100)
  await sleep(1000)
  controller.abort()
  const { status } = await build
  t.is(status, 130)
  t.deepEqual(await readdir(output), [])
})

async function sizes(output: string): Promise<SizeRow[]> {
  return JSON.parse(await readFile(join(output, 'sizes.json'), 'utf8'))
}

async function sizeOfFiles(root: string): Promise<number> {
  const list = await succeed('find', [root, '-type', 'f', '-printf', '%s\\n'])
  return list.split('\n').reduce((sum, size) => sum + Number(size), 0)
}

async function fileDigest(folder: string, digest: string): Promise<string> {
  const content = await readFile(blobFile(join(folder, 'unpacked'), digest))
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}

/** Digests of the uncompressed layers. */
function diffIds(folder: string, image: PlatformImage): Promise<string[]> {
  return Promise.all(
    image.layers.map(async ({ digest }) => {
      const file = blobFile(join(folder, 'unpacked'), digest)
      const sum = await succeed('sh', [
        '-c',
        'zstd --decompress --stdout "$1" | sha256sum',
        'sum',
        file,
      ])
      return `sha256:${sum.split(' ')[0]}`
    }),
  )
}
