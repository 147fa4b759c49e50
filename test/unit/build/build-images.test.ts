import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { readSizes, sourceDate } from '../../../pipeline/build/build-images.js'
import { run } from '../../_helpers/command.js'

// What a user can get wrong: exit status 2, one line on stderr, no engine started, nothing written.
const refuses = test.macro({
  async exec(t, args: string, message: RegExp) {
    const folder = await mkdtemp(join(tmpdir(), 'kubelet-images-request-'))
    t.teardown(() => rm(folder, { recursive: true }))
    const output = join(folder, 'dist')
    const flags = args.includes('--output')
      ? args.split(' ')
      : [...args.split(' '), '--output', output]
    const { status, stdout, stderr } = await run('node', ['scripts/run.mjs', 'build', ...flags], {
      env: { XDG_CACHE_HOME: join(folder, 'cache'), GOPROXY: 'off' },
    })
    t.is(status, 2, stderr)
    t.is(stdout, '')
    t.regex(stderr, message)
    t.is(stderr.trimEnd().split('\n').length, 1)
    t.false(existsSync(output))
    t.deepEqual(await readdir(folder), [])
  },
  title: (_, args) => `build ${args}`,
})

test('sizes that were cut short are told, kept and begun anew', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'kubelet-images-sizes-'))
  t.teardown(() => rm(folder, { recursive: true }))
  t.deepEqual(await readSizes(folder), [])
  await writeFile(join(folder, 'sizes.json'), '[{"image": "kub')
  t.deepEqual(await readSizes(folder), [])
  t.is(await readFile(join(folder, 'sizes.json.unreadable'), 'utf8'), '[{"image": "kub')
})

test(refuses, '--k8s v1.24', /^malformed Kubernetes version "v1\.24"/)
test(refuses, '--k8s v1.21.0', /^unsupported Kubernetes version "v1\.21\.0"/)
test(
  refuses,
  '--k8s v1.24.0 --arch amd63',
  /^unknown architecture "amd63".* Did you mean amd64\?$/m,
)
test(
  refuses,
  '--k8s v1.24.0 --varaint base',
  /^unknown flag "--varaint".* Did you mean --variant\?$/m,
)
test(refuses, '--k8s v1.24.0 --variant bsae', /^unknown variant "bsae".* Did you mean base\?$/m)
test(refuses, '--k8s v1.24.0 --base statc', /^unknown base "statc".* Did you mean static\?$/m)

// The kernel makes up /proc, and root may not write there either.
test(
  refuses,
  '--k8s v1.24.0 --output /proc/x',
  /^--output \/proc\/x cannot be written \(\/proc: ENOENT\): name a directory that can be$/m,
)
test(
  refuses,
  '--k8s v1.24.0 --base static --apk curl',
  /^--apk is for Alpine, not for base static: /,
)
test(refuses, '--k8s v1.24.0 --output package.json', /^--output .*package\.json is a file/)

test('a plan as JSON, without an engine', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'kubelet-images-plan-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const flags = '--k8s v1.24.0 --base static --arch arm --plan --json'
  const args = ['scripts/run.mjs', 'build', ...flags.split(' ')]
  const { status, stdout, stderr } = await run('node', args, { env: { XDG_CACHE_HOME: folder } })
  t.is(status, 0, stderr)
  t.is(stderr, '')
  t.deepEqual(JSON.parse(stdout)[0].platforms, ['linux/arm/v7'])
  t.deepEqual(await readdir(folder), [])
})

test('a SOURCE_DATE_EPOCH that is no time is told before anything starts', async (t) => {
  const flags = ['--k8s', 'v1.24.0', '--base', 'static', '--plan']
  const { status, stderr } = await run('node', ['scripts/run.mjs', 'build', ...flags], {
    env: { SOURCE_DATE_EPOCH: 'yesterday' },
  })
  t.is(status, 2)
  t.regex(stderr, /^malformed SOURCE_DATE_EPOCH "yesterday": set it to seconds since 1970/)
  t.is(sourceDate({ SOURCE_DATE_EPOCH: '1651585077' }), '2022-05-03T13:37:57Z')
  t.is(sourceDate({}), undefined)
})
