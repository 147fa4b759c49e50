import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { npm, project, succeed } from '../_helpers/command.js'

test('a fresh clone installs what it needs by itself', async (t) => {
  t.timeout(300_000)
  const folder = await mkdtemp(join(tmpdir(), 'kubelet-images-clone-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const cwd = join(folder, 'clone')
  await succeed('git', ['clone', '--quiet', project, cwd])
  const { status, stdout, stderr } = await npm('build', ['--k8s', 'v1.24.0', '--plan', '--json'], {
    cwd,
  })
  t.is(status, 0, stderr)
  t.regex(stderr, /^installing node_modules$/m)
  t.is(JSON.parse(stdout)[0].image, 'kubelet')
  t.true(existsSync(join(cwd, 'node_modules')))
})
