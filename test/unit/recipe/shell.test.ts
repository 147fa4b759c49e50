import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { fileScript, quote } from '../../../pipeline/recipe/shell.js'

function folderOf(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'kubelet-images-shell-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return folder
}

function sh(script: string) {
  return spawnSync('sh', ['-eu'], { input: script, encoding: 'utf8' })
}

test('a word is one word, whatever is in it', (t) => {
  for (const word of [
    'plain/--flag=1',
    '',
    'a b',
    "it's",
    '$(id)',
    '`id`',
    '"',
    '\\',
    'a\nb',
    'ü*',
  ]) {
    t.is(sh(`printf %s ${quote(word)}`).stdout, word)
  }
})

test('a file has its content, whatever is in it, and its mode', (t) => {
  const path = join(folderOf(t), 'new folder/file')
  const content = `$HOME \`id\`\nEOF\nEOF_\nend`
  t.is(sh(fileScript({ path, content, mode: '600' })).stderr, '')
  t.is(readFileSync(path, 'utf8'), `${content}\n`)
  t.is(statSync(path).mode & 0o777, 0o600)
})

test('a file of somebody else is kept beside ours, once', (t) => {
  const path = join(folderOf(t), 'config.toml')
  const file = (text: string) => ({
    path,
    content: `# kubelet-images\n${text}`,
    foreign: 'keep' as const,
  })
  writeFileSync(path, 'theirs')
  for (const text of ['first', 'second']) t.is(sh(fileScript(file(text))).status, 0)
  t.is(readFileSync(path, 'utf8'), '# kubelet-images\nsecond\n')
  t.is(readFileSync(`${path}.before-kubelet-images`, 'utf8'), 'theirs')
})

test('where there is no file, none is kept', (t) => {
  const path = join(folderOf(t), 'config.toml')
  t.is(sh(fileScript({ path, content: 'ours', foreign: 'keep' })).status, 0)
  t.false(existsSync(`${path}.before-kubelet-images`))
})

test('a file of somebody else stops the step, which says what to do', (t) => {
  const path = join(folderOf(t), 'daemon.json')
  const script = fileScript({ path, content: '{}', foreign: 'stop' })
  writeFileSync(path, 'theirs')
  const { status, stderr } = sh(script)
  t.is(status, 1)
  t.is(
    stderr,
    `${path} is not of this recipe: compare it with ${path}.new, and move one of them in its place\n`,
  )
  t.is(readFileSync(path, 'utf8'), 'theirs')
  // As the message says.
  sh(`mv ${path}.new ${path}`)
  t.is(sh(script).status, 0)
  t.is(readFileSync(path, 'utf8'), '{}\n')
  t.false(existsSync(`${path}.new`))
})
