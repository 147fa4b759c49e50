import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { loadPrograms } from '../../pipeline/plan/required-executables.js'
import { npm } from '../_helpers/command.js'

test.serial('the source of v1.24.0 gives the list that is committed', async (t) => {
  t.timeout(3_600_000)
  const folder = await mkdtemp(join(tmpdir(), 'kubelet-images-programs-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const { status, stderr } = await npm('programs', ['--k8s', 'v1.24.0', '--output', folder])
  t.is(status, 0, stderr)
  const found = JSON.parse(await readFile(join(folder, 'v1.24.0.json'), 'utf8'))
  t.deepEqual(found, loadPrograms('1.24').get('v1.24.0'))
})
