import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { documents, withOutputs } from '../scripts/documents.js'
import { project, run } from './_helpers/command.js'

const passes = test.macro(async (t, program: string, args: string[]) => {
  t.timeout(120_000)
  const { status, stdout, stderr } = await run(`node_modules/.bin/${program}`, args)
  t.is(status, 0, stdout + stderr)
})

// biome.json also keeps the direction of imports: only graph modules know Dagger, only scripts zx and table.
test('lint, format and module direction', passes, 'biome', ['check', '--error-on-warnings', '.'])
test('types', passes, 'tsc', ['--noEmit'])

for (const file of documents) {
  test(`${file} shows what the commands in it print`, async (t) => {
    const text = readFileSync(join(project, file), 'utf8')
    t.is(await withOutputs(text), text, 'npm run readme writes it anew')
    t.regex(text, /^<!-- npm run .* -->$/m)
  })
}
