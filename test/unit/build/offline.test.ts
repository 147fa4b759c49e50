import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { parseArch } from '../../../pipeline/facts/platform.js'
import { run } from '../../../pipeline/host/process.js'
import type { Bundle } from '../../../pipeline/inputs/bundle.js'
import { lockHash } from '../../../pipeline/inputs/lock.js'
import { type TarEntry, writeTar } from '../../../pipeline/oci/tar.js'

const sum = (content: string) => createHash('sha256').update(content).digest('hex')
const files: Record<string, string> = {
  'go/example.org/a/@v/v1.0.0.mod': 'module example.org/a',
  [`inputs/${sum('a package')}`]: 'a package',
  'npm/_cacache/x': 'for npm',
}

const facts: Bundle = {
  format: 1,
  lock: lockHash(),
  host: parseArch(process.arch) as Bundle['host'],
  kubernetes: 'v1.24.0',
  arches: ['amd64'],
  images: ['kubelet'],
  variants: ['base'],
  files: Object.fromEntries(
    Object.entries(files).map(([name, content]) => [
      name,
      { size: content.length, sha256: sum(content) },
    ]),
  ),
}

/** `npm run build -- --offline` with a bundle whose files are changed, on a machine without any cache. */
async function build(
  t: ExecutionContext,
  change: { files?: Record<string, string>; facts?: Partial<Bundle> },
  damage: (bundle: string) => void = () => {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'kubelet-images-offline-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const bundle = join(folder, 'a.bundle.tar')
  const entries: TarEntry[] = Object.entries({ ...files, ...change.files }).map(
    ([name, content]) => ({ name, content }),
  )
  const list = JSON.stringify({ ...facts, ...change.facts })
  await writeTar(bundle, [{ name: 'bundle.json', content: list }, ...entries])
  damage(bundle)
  const output = join(folder, 'dist')
  const args = ['build', '--k8s', 'v1.24.0', '--arch', 'amd64', '--image', 'kubelet']
  const flags = ['--variant', 'base', '--offline', bundle, '--output', output]
  const cache = join(folder, 'cache')
  const env = { XDG_CACHE_HOME: cache }
  const { status, stderr, stdout } = await run('node', ['scripts/run.mjs', ...args, ...flags], {
    env,
  })
  t.is(stdout, '')
  t.false(existsSync(output))
  const kept = join(cache, 'kubelet-images')
  return { status, stderr: stderr.replaceAll(bundle, 'BUNDLE'), kept }
}

test('a bundle without an input that the build needs', async (t) => {
  const { status, stderr, kept } = await build(t, {})
  t.is(status, 1)
  t.regex(
    stderr,
    /\n\S+ \S+ \(\w+\) is not in the cache, and without network none is fetched: name a bundle that has it, made by npm run inputs -- bundle\n$/,
  )
  t.is(readFileSync(join(kept, 'inputs', sum('a package')), 'utf8'), 'a package')
  t.true(existsSync(join(kept, 'bundle/go/example.org/a/@v/v1.0.0.mod')))
  t.false(existsSync(join(kept, 'bundle/npm')), 'npm has been served by then')
  t.false(existsSync(join(kept, 'engine')), 'no engine was started')
})

const damaged = test.macro(
  async (t, change: Parameters<typeof build>[1], message: string, cut = false) => {
    const { status, stderr, kept } = await build(t, change, (bundle) => {
      if (cut) truncateSync(bundle, 2048)
    })
    t.is(status, 1)
    const lines = stderr.replace(/^\[[\d:]+\]/, '[0:00]')
    t.is(lines, `[0:00] unpacking BUNDLE\nBUNDLE is damaged: ${message}: make or fetch it again\n`)
    t.false(existsSync(join(kept, 'bundle')))
  },
)

test(
  'a file that differs',
  damaged,
  { files: { 'go/example.org/a/@v/v1.0.0.mod': 'module example.org/b' } },
  `go/example.org/a/@v/v1.0.0.mod has sha256 ${sum('module example.org/b')}`,
)
test(
  'a file that is not in the list',
  damaged,
  { files: { 'go/other': '' } },
  'it has go/other, which is not in its list',
)
test('a bundle that was cut', damaged, {}, 'tar: Unexpected EOF in archive', true)

const refuses = test.macro(
  async (t, change: Partial<Bundle>, message: RegExp, replace?: string) => {
    const { status, stderr, kept } = await build(t, { facts: change }, (bundle) => {
      if (replace !== undefined) writeFileSync(bundle, replace)
    })
    t.is(status, 2)
    t.regex(stderr, message)
    t.false(existsSync(join(kept, 'inputs')))
  },
)

test('a bundle of another lock', refuses, { lock: sum('') }, /^BUNDLE was made for another .*\n$/)
test('a bundle of another variant', refuses, { variants: ['cni'] }, /^BUNDLE has nothing for .*\n$/)
test('a file that is no archive', refuses, {}, /^(--offline )?BUNDLE .*\n$/, 'x'.repeat(2000))
