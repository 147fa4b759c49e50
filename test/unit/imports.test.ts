import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import test from 'ava'
import { project } from '../_helpers/command.js'

// Imports go one way. docs/architecture.md draws it.
const core = ['facts', 'host', 'plan', 'oci', 'inputs', 'graph', 'engine', 'sizes', 'build']
const allowed: Record<string, readonly string[]> = {
  'pipeline/facts': [],
  'pipeline/host': ['facts'],
  'pipeline/plan': ['facts'],
  'pipeline/oci': ['facts', 'host'],
  'pipeline/inputs': ['facts', 'plan', 'host'],
  'pipeline/graph': ['facts', 'plan', 'inputs'],
  'pipeline/engine': ['facts', 'plan', 'host', 'graph'],
  'pipeline/sizes': ['facts', 'plan', 'host', 'oci'],
  'pipeline/build': core.filter((name) => name !== 'build'),
  'pipeline/recipe': ['facts', 'plan'],
  'pipeline/release': ['facts', 'plan', 'host', 'oci', 'sizes', 'build'],
  'pipeline/smoke': [...core, 'recipe', 'smoke/machine'],
  'pipeline/smoke/machine': ['facts', 'host', 'inputs', 'recipe', 'smoke'],
  'scripts/terminal': ['facts', 'host'],
  // What does the work is named here, and loaded when there is some.
  'scripts/flags': [
    'facts',
    'plan',
    'recipe',
    'release',
    'sizes',
    'smoke',
    'scripts',
    'scripts/dev',
  ],
  scripts: [...core, 'recipe', 'release', 'smoke'],
  'scripts/dev': [...core, 'recipe', 'smoke'],
}
/** Who may import what is not ours. */
const packages: Record<string, RegExp> = {
  '@dagger.io/dagger': /^pipeline\/(graph|engine|build)\//,
  'node:child_process': /^pipeline\/host\/|^scripts\/run\.mjs$/,
  table: /^scripts\/|^pipeline\/sizes\//,
}

const files = ['pipeline', 'scripts'].flatMap((folder) =>
  readdirSync(join(project, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|mjs)$/.test(name))
    .map((name) => `${folder}/${name}`),
)

function importsOf(file: string): string[] {
  const text = readFileSync(join(project, file), 'utf8')
  return [...text.matchAll(/\bfrom '([^']+)'|\bimport\('([^']+)'\)/g)].map(
    ([, a, b]) => a ?? b ?? '',
  )
}

/** What is wrong with an import of a file; nothing where it goes the right way. */
function faultOf(file: string, specifier: string): string | undefined {
  const line = `${file} imports ${specifier}`
  if (!specifier.startsWith('.')) {
    const users = packages[specifier]
    return users && !users.test(file) ? `${line}: only ${users} may` : undefined
  }
  const [from, to] = [dirname(file), dirname(normalize(join(dirname(file), specifier)))]
  // Commands are imported by nobody but the list of them.
  if (from === to) return undefined
  const rule = allowed[from]
  if (rule === undefined) return `${line}: ${from} has no rule in this test`
  const isTerminal = /^scripts\/(terminal|flags)$/.test(to) && /^scripts/.test(from)
  if (isTerminal) return undefined
  const folder = to.replace('pipeline/', '')
  return rule.includes(folder)
    ? undefined
    : `${line}: ${from} may import ${rule.join(', ') || 'nothing'}`
}

test('imports go one way', (t) => {
  t.true(files.length > 100)
  t.deepEqual(
    files.flatMap((file) => importsOf(file).flatMap((one) => faultOf(file, one) ?? [])),
    [],
  )
})

test('an import the other way is told', (t) => {
  t.regex(faultOf('pipeline/facts/load.ts', '../plan/images.js') ?? '', /may import nothing$/)
  t.regex(faultOf('pipeline/plan/images.ts', '../graph/image.js') ?? '', /may import facts$/)
  t.regex(
    faultOf('pipeline/plan/images.ts', '@dagger.io/dagger') ?? '',
    /^pipeline\/plan\/images\.ts imports/,
  )
  t.regex(faultOf('pipeline/build/place.ts', '../../scripts/build.js') ?? '', /may import facts, /)
  t.regex(faultOf('scripts/new/place.ts', '../build.js') ?? '', /has no rule in this test$/)
})
