import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { run } from '../../_helpers/command.js'

test('a release takes no other base where a mirror does not answer', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'kubelet-images-release-request-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const mirror = ['--alpine-mirror', 'http://127.0.0.1:1']
  const flags = [
    '--k8s',
    'v1.24.0',
    '--registry',
    '127.0.0.1:1/nodes',
    '--output',
    `${folder}/dist`,
  ]
  const command = ['scripts/run.mjs', 'release', ...flags, ...mirror]
  const { status, stdout, stderr } = await run('node', command, { env: { XDG_CACHE_HOME: folder } })
  t.is(status, 1, stderr)
  t.is(stdout, '')
  t.regex(
    stderr,
    /^the Alpine mirror does not answer at http:\/\/127\.0\.0\.1:1\/.*--base static$/m,
  )
  t.deepEqual(await readdir(folder), [])
})

// What a user can get wrong: exit status 2, one line on stderr, no engine started, nothing written.
const refuses = test.macro({
  async exec(t, args: string, message: RegExp) {
    const folder = await mkdtemp(join(tmpdir(), 'kubelet-images-release-request-'))
    t.teardown(() => rm(folder, { recursive: true }))
    const output = ['--output', join(folder, 'dist')]
    const command = ['scripts/run.mjs', 'release', ...args.split(' '), ...output]
    const { status, stdout, stderr } = await run('node', command, {
      env: { XDG_CACHE_HOME: join(folder, 'cache'), GOPROXY: 'off' },
    })
    t.is(status, 2, stderr)
    t.is(stdout, '')
    t.regex(stderr, message)
    t.is(stderr.trimEnd().split('\n').length, 1)
    t.deepEqual(await readdir(folder), [])
  },
  title: (_, args) => `release ${args}`,
})

test(refuses, '--k8s v1.24.0', /^missing --registry: /)
test(refuses, '--k8s v1.24.0 --registry nowhere', /^malformed --registry "nowhere": /)
test(
  refuses,
  '--k8s v1.24.0 --registry 127.0.0.1:1/nodes --tags',
  /^there is no .*kubelet-v1\.24\.0-alpine3\.23\.pushed\.json: run every --shard first/,
)
