import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import anyTest, { type TestFn } from 'ava'
import { placeImages } from '../../../pipeline/build/build-images.js'
import { BuildError } from '../../../pipeline/facts/errors.js'
import { loadFacts } from '../../../pipeline/facts/load.js'
import type { Change } from '../../../pipeline/sizes/comparison.js'
import type { ExplainedImage, Part } from '../../../pipeline/sizes/why.js'
import { run, succeed } from '../../_helpers/command.js'
import { layeredRow, writeDist } from '../../_helpers/dist.js'

// Images of a small Go program with two modules, as `npm run build` would leave them.
const test = anyTest as TestFn<{ folder: string; dist: string; programs: string }>

const why = ['--why', 'kubelet', '--arch', 'amd64']
const sizes = (args: readonly string[], env: Record<string, string> = {}) =>
  run('node', ['scripts/run.mjs', 'sizes', ...args], { env })

test.before(async (t) => {
  t.timeout(120_000)
  const folder = await mkdtemp(join(tmpdir(), 'kubelet-images-sizes-test-'))
  const [dist, programs] = [join(folder, 'dist'), join(folder, 'programs')]
  t.context = { folder, dist, programs }
  const base = join(folder, 'base')
  const root = join(folder, 'root')
  await mkdir(join(base, 'etc'), { recursive: true })
  await writeFile(join(base, 'etc/passwd'), 'root\n')
  // A base of Alpine knows its packages.
  await mkdir(join(base, 'lib/apk/db'), { recursive: true })
  await writeFile(join(base, 'lib/libmnl.so'), Buffer.alloc(90_000))
  await writeFile(
    join(base, 'lib/apk/db/installed'),
    'P:alpine-baselayout\nF:\nF:etc\nR:passwd\n\nP:libmnl\nF:lib\nR:libmnl.so\n\n',
  )
  await compile(join(folder, 'source'), join(root, 'usr/bin/kubelet'))
  await writeFile(join(root, 'usr/bin/crictl'), `\x7fELF${' '.repeat(200)}UPX!`)
  await writeDist(dist, [base, root])
  // Stands in for UPX, which cannot be installed everywhere: it unpacks everything to the program above.
  await mkdir(programs)
  const upx = `#!/bin/sh\n[ "$1 $3" = '-d -o' ] && cp '${root}/usr/bin/kubelet' "$4"\n`
  await writeFile(join(programs, 'upx'), upx, { mode: 0o755 })
})

test.after.always((t) => rm(t.context.folder, { recursive: true, force: true }))

function total(parts: readonly Part[]): number {
  return parts.reduce((sum, { bytes }) => sum + bytes, 0)
}

/** A program of two modules, one of them with much more code, linked as the images' programs are. */
async function compile(source: string, program: string): Promise<void> {
  await mkdir(join(source, 'large'), { recursive: true })
  const statements = Array.from({ length: 2_000 }, (_, i) => `\tx = x*${i + 3} ^ x>>${i % 9}\n`)
  const files = {
    'go.mod':
      'module example.org/small\n\ngo 1.21\n\nrequire example.org/large.v2 v0.0.0\n\nreplace example.org/large.v2 => ./large\n',
    'main.go':
      'package main\n\nimport large "example.org/large.v2"\n\nfunc main() { println(large.Code(3)) }\n',
    'large/go.mod': 'module example.org/large.v2\n\ngo 1.21\n',
    'large/large.go': `package large\n\nfunc Code(x int) int {\n${statements.join('')}\treturn x\n}\n`,
  }
  for (const [name, content] of Object.entries(files)) await writeFile(join(source, name), content)
  const flags = ['-trimpath', '-ldflags=-s -w', '-o', program]
  const env = { CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off', GOARCH: 'amd64', GOOS: 'linux' }
  await succeed('go', ['build', ...flags, '.'], { cwd: source, env })
}

test('--why tells the bytes of a Go program by module, and they add up to the file', async (t) => {
  const { dist, programs } = t.context
  const env = { PATH: `${programs}:${process.env.PATH}` }
  const { status, stdout, stderr } = await sizes([...why, '--output', dist, '--json'], env)
  t.is(status, 0, stderr)
  const { layers } = JSON.parse(stdout) as ExplainedImage
  t.deepEqual(
    layers.map(({ name, files }) => [name, files.map(({ path }) => path).sort()]),
    [
      ['static base', ['etc/passwd', 'lib/apk/db/installed', 'lib/libmnl.so']],
      ['kubelet', ['usr/bin/crictl', 'usr/bin/kubelet']],
    ],
  )
  const kubelet = layers[1]?.files.find(({ path }) => path.endsWith('/kubelet'))
  const parts = kubelet?.parts as Part[]
  t.is(total(parts), kubelet?.size ?? 0)
  const bytes = (name: string) => parts.find((part) => part.name === name)?.bytes ?? 0
  // 2000 statements of a few instructions each; one call of them; the runtime.
  t.true(bytes('example.org/large.v2') > 20_000, stdout)
  t.true(bytes('example.org/large.v2') < 100_000, stdout)
  t.true(bytes('example.org/small') > 0 && bytes('example.org/small') < 1_000, stdout)
  t.true(bytes('std') > 200_000, stdout)
  t.true(bytes('(function table)') > 100_000, stdout)
  const crictl = layers[1]?.files.find(({ path }) => path.endsWith('/crictl'))
  t.is(crictl?.note, 'packed by UPX: the parts are of what it unpacks')
  t.is(total(crictl?.parts ?? []), kubelet?.size ?? 0)
})

test('--why as a table, with what cannot be told', async (t) => {
  const { status, stdout, stderr } = await sizes([...why, '--output', t.context.dist])
  t.is(status, 0, stderr)
  t.regex(stdout, /^kubelet:v1\.24\.0-static linux\/amd64: .* compressed \(gzip\)\n/)
  t.regex(stdout, /│ \/usr\/bin\/kubelet +│/)
  t.regex(stdout, /│ std +│ \d\.\d\d MB/)
  t.regex(stdout, /│ package libmnl +│ +│ 0\.09 MB/)
  t.regex(stdout, /│ \(2 smaller\)/)
})

test('--diff shows what grew between two directories', async (t) => {
  const root = join(t.context.folder, 'grown')
  await cp(join(t.context.folder, 'base'), root, { recursive: true })
  await writeFile(join(root, 'etc/passwd'), 'root\nnobody\n')
  const grown = join(t.context.folder, 'grown-dist')
  await writeDist(grown, [root, join(t.context.folder, 'root')])
  const { status, stdout, stderr } = await sizes(['--diff', t.context.dist, grown, '--json'])
  t.is(status, 0, stderr)
  const changes = JSON.parse(stdout) as Change[]
  t.deepEqual(
    changes.filter(({ file }) => file),
    [
      {
        image: 'kubelet:v1.24.0-static',
        arch: 'amd64',
        layer: 'static base',
        file: 'etc/passwd',
        before: 5,
        after: 12,
      },
    ],
  )
  const table = await sizes(['--diff', t.context.dist, grown])
  t.regex(table.stdout, /etc\/passwd .* \+7 /)
})

test('an archive that is not the one of sizes.json is refused', async (t) => {
  const other = join(t.context.folder, 'other')
  await writeDist(other, [join(t.context.folder, 'base')])
  const row = layeredRow({ compression: 'gzip', digest: 'sha256:1' })
  await writeFile(join(other, 'sizes.json'), JSON.stringify([row]))
  const { status, stdout, stderr } = await sizes([...why, '--output', other])
  t.is(status, 2)
  t.is(stdout, '')
  t.is(stderr, 'kubelet-v1.24.0-static.oci.tar is not what sizes.json tells of: build it again\n')
})

const refuses = test.macro({
  async exec(t, args: string, message: RegExp) {
    const { status, stdout, stderr } = await sizes(args.split(' '))
    t.is(status, 2, stderr)
    t.is(stdout, '')
    t.regex(stderr, message)
    t.is(stderr.trimEnd().split('\n').length, 1)
  },
  title: (_, args) => `sizes ${args}`,
})

test(refuses, '--output no-such-directory', /no-such-directory\/sizes\.json is not there: name a/)
test(refuses, '--diff test package.json', /^--diff compares two directories or two archives, not/)
test(refuses, '--k8s v1.21.0', /^unsupported Kubernetes version "v1\.21\.0"/)

test('a build over its budget fails and leaves the output directory alone', async (t) => {
  const folder = join(t.context.folder, 'budget')
  const output = join(folder, 'dist')
  const staging = join(output, '.staging')
  await mkdir(staging, { recursive: true })
  const facts = loadFacts()
  const place = async (compressed: number) => {
    await writeFile(join(staging, 'archive'), '')
    return placeImages([layeredRow({ compressed })], facts, ['archive'], staging, output)
  }
  const error = await t.throwsAsync(place(90_000_000), { instanceOf: BuildError })
  t.regex(
    error.message,
    /^kubelet:v1\.24\.0-static linux\/amd64 is over its budget in variants\.json: 90\.00 MB compressed instead of .*kubelet \+\d\d\.\d\d MB\)$/,
  )
  t.deepEqual(await readdir(output), ['.staging'])
  t.false(existsSync(join(staging, 'sizes.json')))

  const rows = await place(10_000_000)
  t.false('layers' in (rows[0] as object))
  t.deepEqual((await readdir(output)).sort(), ['.staging', 'archive', 'sizes.json'])
})
