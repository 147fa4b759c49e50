import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { npm } from '../_helpers/command.js'

// Kubernetes' own conformance tests, whole, with the report of them: about an hour each.

for (const release of ['v1.24.0', 'v1.36.4']) {
  test.serial(`a cluster of ${release} passes the conformance tests`, async (t) => {
    t.timeout(10_800_000)
    const folder = await mkdtemp(join(tmpdir(), 'kubelet-images-conformance-'))
    t.teardown(() => rm(folder, { recursive: true, force: true }))
    const flags = ['--mode', 'join', '--k8s', release, '--conformance', '--report', folder]
    const { status, stdout, stderr } = await npm('smoke', flags)
    t.log(stdout)
    t.is(status, 0, stderr)
    t.true((stdout.match(/^✔ .*\[Conformance\]/gm) ?? []).length > 300, 'most cases run')
    t.regex(await readFile(join(folder, 'junit_01.xml'), 'utf8'), /<testcase /)
    t.regex(await readFile(join(folder, 'e2e.log'), 'utf8'), /Ran \d+ of \d+ Specs/)
    const omitted = JSON.parse(await readFile(join(folder, 'omitted.json'), 'utf8'))
    for (const { reason } of omitted) t.not(reason, '')
  })
}
