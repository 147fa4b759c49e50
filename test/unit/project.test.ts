import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'ava'
import { loadFacts } from '../../pipeline/facts/load.js'
import { commands } from '../../scripts/commands.js'
import { documents, variantsJsonSchema, withOutputs } from '../../scripts/dev/documents.js'
import { project } from '../_helpers/command.js'

test('editors are told of variants.json what its schema says', (t) => {
  const text = readFileSync(join(project, 'variants.schema.json'), 'utf8')
  t.is(text, variantsJsonSchema(), 'npm run readme writes it anew')
  t.regex(text, /"description": "Kinds of images\."/)
})

for (const file of documents) {
  test(`${file} shows what the commands in it print`, async (t) => {
    const text = readFileSync(join(project, file), 'utf8')
    t.is(await withOutputs(text), text, 'npm run readme writes it anew')
  })
}

/** Arguments of this project's commands that a document names, by either way in. */
const named =
  /(?:npm run ([a-z:-]+)(?: -- ([^`#\n>|]*))?|npx kubelet-images ([a-z-]+) ([^`#\n>|]*))/g

for (const file of documents) {
  test(`every command that ${file} names is a right one`, async (t) => {
    const text = readFileSync(join(project, file), 'utf8').replaceAll(/ \\\n */g, ' ')
    const { scripts } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))
    for (const [command, script, ofScript = '', direct, ofDirect = ''] of text.matchAll(named)) {
      const [name, rest] = direct === undefined ? [script as string, ofScript] : [direct, ofDirect]
      t.true(name in (direct === undefined ? scripts : commands), command)
      // A usage shows what is optional, and a choice.
      if (rest.trim() === '' || /[[|<]/.test(rest)) continue
      const args = rest.replace(/--$/, '').trim().replace('VERSION', 'v1.24.0').split(/\s+/)
      if (args.includes('--help')) continue
      const parsed = await commands[name]?.()
      t.notThrows(() => parsed?.parse(args, loadFacts()), command)
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
