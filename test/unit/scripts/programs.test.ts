import test from 'ava'
import { run } from '../../_helpers/command.js'

const refuses = test.macro(async (t, args: string[], message: RegExp) => {
  const command = ['scripts/run.mjs', 'programs', ...args]
  const { status, stdout, stderr } = await run('node', command, { env: { GOPROXY: 'off' } })
  t.is(status, 2, stderr)
  t.is(stdout, '')
  t.regex(stderr, message)
})

test(
  'programs of no release',
  refuses,
  [],
  /^missing --k8s: name the Kubernetes release, for example/m,
)
test(
  'programs of an unknown minor',
  refuses,
  ['--k8s', 'v1.21.0'],
  /^unsupported Kubernetes version "v1\.21\.0"/,
)
test(
  'programs with a misspelt flag',
  refuses,
  ['--k9s', 'v1.24.0'],
  /^unknown flag "--k9s": .* Did you mean --k8s\?$/m,
)
