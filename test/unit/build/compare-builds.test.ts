import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { compareDigests, differingFiles } from '../../../pipeline/build/compare-builds.js'
import { readRows } from '../../../pipeline/sizes/content.js'
import { run } from '../../_helpers/command.js'
import { writeDist } from '../../_helpers/dist.js'

/** Two builds of an image with one layer, of which the second is changed by `change` in its root. */
const builds = test.macro(
  async (t, change: (root: string) => Promise<unknown>, differing: RegExp[]) => {
    const folder = await mkdtemp(join(tmpdir(), 'kubelet-images-verify-'))
    t.teardown(() => rm(folder, { recursive: true }))
    const [first = '', second = ''] = ['first', 'second'].map((name) => join(folder, name))
    for (const dist of [first, second]) {
      const root = `${dist}-root`
      await mkdir(join(root, 'etc'), { recursive: true })
      await writeFile(join(root, 'etc/passwd'), 'root:x:0:0')
      await symlink('passwd', join(root, 'etc/link'))
      // A layer of the project has no times; this one has those of the files.
      if (dist === second) await change(root)
      await run('find', [root, '-exec', 'touch', '-h', '-d', '@0', '{}', '+'])
      await writeDist(dist, [root])
    }
    const [pair] = compareDigests(await readRows(first), await readRows(second))
    t.is(pair?.before === pair?.after, differing.length === 0)
    const files = await differingFiles(first, second)
    t.is(files.length, differing.length, files.join('\n'))
    for (const [i, pattern] of differing.entries()) t.regex(files[i] as string, pattern)
  },
)

test('two builds that are the same', builds, async () => {}, [])
test('a file of other content', builds, (root) => writeFile(join(root, 'etc/passwd'), 'root'), [
  /\.oci\.tar amd64: \/etc\/passwd$/,
])
test('a file of another mode', builds, (root) => chmod(join(root, 'etc/passwd'), 0o600), [
  /: \/etc\/passwd$/,
])
test(
  'a link to something else, and a file more',
  builds,
  async (root) => {
    await rm(join(root, 'etc/link'))
    await symlink('group', join(root, 'etc/link'))
    await writeFile(join(root, 'etc/new'), '')
  },
  [/: \/etc\/link$/, /: \/etc\/new$/],
)

for (const [args, message] of [
  ['--k8s v1.24.0 --output dist', /^unknown flag "--output": choose from --recorded, --k8s, /],
  [
    '--recorded --k8s v1.25.4 --base static',
    /^no digest of kubelet:v1\.25\.4-static amd64 \(zstd\) is recorded /,
  ],
  ['--k8s v1.99.0', /^unsupported Kubernetes version "v1\.99\.0"/],
] as const) {
  test(`verify ${args}`, async (t) => {
    const { status, stderr } = await run('node', ['scripts/run.mjs', 'verify', ...args.split(' ')])
    t.is(status, 2)
    t.regex(stderr, message)
  })
}
