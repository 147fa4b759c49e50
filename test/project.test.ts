import test from 'ava'
import { buildHelp } from '../pipeline/request.js'
import { readme, run } from './_helpers/command.js'

const passes = test.macro(async (t, program: string, args: string[]) => {
  t.timeout(120_000)
  const { status, stdout, stderr } = await run(`node_modules/.bin/${program}`, args)
  t.is(status, 0, stdout + stderr)
})

// biome.json also keeps the direction of imports: only graph modules know Dagger, only scripts zx and table.
test('lint, format and module direction', passes, 'biome', ['check', '--error-on-warnings', '.'])
test('types', passes, 'tsc', ['--noEmit'])

test('the README shows the usage as it is', (t) => {
  t.true(readme().includes(buildHelp))
})
