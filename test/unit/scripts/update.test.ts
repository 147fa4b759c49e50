import test from 'ava'
import { run } from '../../_helpers/command.js'

test('update with a misspelt flag', async (t) => {
  const { status, stdout, stderr } = await run('node', ['scripts/run.mjs', 'update', '--chek'])
  t.is(status, 2, stderr)
  t.is(stdout, '')
  t.is(
    stderr,
    'unknown flag "--chek": choose from --inputs, --check, --debug, --progress, --help. Did you mean --check?\n',
  )
})

test('update where no module proxy answers', async (t) => {
  const command = ['scripts/run.mjs', 'update', '--check']
  const { status, stdout, stderr } = await run('node', command, {
    env: { GOPROXY: 'http://127.0.0.1:1' },
  })
  t.is(status, 1, stderr)
  t.is(stdout, '')
  t.regex(stderr, /^the Go module proxy could not be asked for releases: .*connection refused/)
})
