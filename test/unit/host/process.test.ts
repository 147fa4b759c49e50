import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { replaceFiles } from '../../../pipeline/host/files.js'
import { run, start, succeed } from '../../../pipeline/host/process.js'
import { sweep } from '../../../pipeline/host/temporary.js'
import { project } from '../../_helpers/command.js'

const folder = mkdtempSync(join(tmpdir(), 'kubelet-images-process-'))
test.after.always(() => rmSync(folder, { recursive: true }))

test('a command gives what it printed and how it ended', async (t) => {
  t.deepEqual(await run('sh', ['-c', 'cat; echo wrong >&2; exit 3'], { input: 'in' }), {
    status: 3,
    stdout: 'in',
    stderr: 'wrong\n',
  })
  await t.throwsAsync(succeed('sh', ['-c', 'echo why >&2; exit 1']), { message: /exit 1\nwhy/ })
  await t.throwsAsync(run('no-such-program', []), { code: 'ENOENT' })
})

for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
  test(`${signal} ends what a command has started`, async (t) => {
    const pidFile = join(folder, signal)
    const script = `
      import { main } from './scripts/main.ts'
      import { run } from './pipeline/host/process.ts'
      void main(['--help'])
      await run('sh', ['-c', 'echo $$ > ${pidFile}; exec sleep 60'])
    `
    const file = join(project, `.process-test-${signal}.ts`)
    writeFileSync(file, script)
    t.teardown(() => rmSync(file))
    const command = start(process.execPath, ['--import', 'tsx', file], {
      cwd: project,
      stdio: 'ignore',
    })
    while (!existsSync(pidFile)) await sleep(50)
    await sleep(200)
    const child = (await readFile(pidFile, 'utf8')).trim()
    command.kill(signal)
    const status = await new Promise((resolve) => command.once('close', resolve))
    t.is(status, 128 + { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }[signal])
    for (let i = 0; i < 50 && existsSync(`/proc/${child}`); i++) await sleep(100)
    t.false(existsSync(`/proc/${child}`))
  })
}

test('what dead processes left is swept, and nothing else', (t) => {
  const place = join(folder, 'sweep')
  // No process has the number 0, and none of the first is ours.
  for (const name of ['.staging-4194399', `.staging-${process.pid}`, '.staging-1', 'x-4194399']) {
    mkdirSync(join(place, name, 'below'), { recursive: true })
  }
  sweep(place, /^\.staging-(\d+)$/)
  t.deepEqual(readdirSync(place).sort(), ['.staging-1', `.staging-${process.pid}`, 'x-4194399'])
})

test('files are replaced when all of them are written', async (t) => {
  const [a, b] = [join(folder, 'a'), join(folder, 'b')]
  await replaceFiles({ [a]: '1', [b]: '1' })
  await t.throwsAsync(replaceFiles({ [a]: '2', [join(folder, 'no/where')]: '2' }))
  t.is(await readFile(a, 'utf8'), '1')
  t.is(await readFile(b, 'utf8'), '1')
})
