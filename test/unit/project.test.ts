import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'ava'
import { loadVariants, type Variants } from '../../pipeline/facts/load.js'
import { parseBuildRequest, parsePackReportRequest } from '../../pipeline/plan/request.js'
import { parseRecipeRequest } from '../../pipeline/recipe/request.js'
import { parseReleaseRequest } from '../../pipeline/release/request.js'
import { parseSizesRequest } from '../../pipeline/sizes/request.js'
import { parseSmokeRequest } from '../../pipeline/smoke/request.js'
import { documents, withOutputs } from '../../scripts/dev/documents.js'
import { project, run } from '../_helpers/command.js'

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
  })
}

const parsers = {
  build: parseBuildRequest,
  'pack-report': parsePackReportRequest,
  recipe: parseRecipeRequest,
  release: parseReleaseRequest,
  sizes: parseSizesRequest,
  smoke: parseSmokeRequest,
  verify: (args: readonly string[], facts: Variants) =>
    parseBuildRequest(
      args.filter((arg) => arg !== '--recorded'),
      facts,
    ),
}

for (const file of documents) {
  test(`every command that ${file} names is a right one`, (t) => {
    const text = readFileSync(join(project, file), 'utf8').replaceAll(/ \\\n */g, ' ')
    const { scripts } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))
    for (const [command, script = '', rest = ''] of text.matchAll(
      /npm run ([a-z:-]+)(?: -- ([^`#\n>]*))?/g,
    )) {
      t.true(script in scripts, command)
      // A usage shows what is optional, and a choice.
      if (rest === '' || /[[|]/.test(rest)) continue
      const args = rest.replace(/--$/, '').trim().replace('VERSION', 'v1.24.0').split(/\s+/)
      const parse = parsers[script as keyof typeof parsers]
      t.notThrows(() => parse?.(args, loadVariants()), command)
    }
  })
}

test('links between the documents lead to files, and the README is short', (t) => {
  const readme = readFileSync(join(project, 'README.md'), 'utf8')
  t.true(readme.split('\n').length <= 150)
  for (const file of documents) {
    const text = readFileSync(join(project, file), 'utf8')
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)) {
      t.true(existsSync(join(project, dirname(file), target)), `${file}: ${target}`)
    }
  }
})
