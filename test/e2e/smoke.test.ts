import test from 'ava'
import type { Check } from '../../scripts/smoke/report.js'
import { npm } from '../_helpers/command.js'

// Real nodes from the images of v1.24.0: what `npm run smoke` checks.

for (const mode of ['standalone', 'join', 'hardway']) {
  test.serial(`a node, ${mode}`, async (t) => {
    t.timeout(3_600_000)
    const flags = ['--mode', mode, '--k8s', 'v1.24.0', '--base', 'static', '--json']
    const { status, stdout, stderr } = await npm('smoke', flags)
    t.is(status, 0, stderr)
    const checks: Check[] = JSON.parse(stdout)
    for (const { check, detail, seconds } of checks) t.log(check, detail ?? '', `${seconds} s`)
    t.deepEqual(
      checks.filter(({ passed }) => !passed),
      [],
    )
    t.is(checks.at(-1)?.check, 'nothing is left on this machine')
  })
}
