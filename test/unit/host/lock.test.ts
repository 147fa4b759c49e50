import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { takeLock, withLock } from '../../../pipeline/host/lock.js'
import { start } from '../../../pipeline/host/process.js'
import { project } from '../../_helpers/command.js'

const folder = mkdtempSync(join(tmpdir(), 'kubelet-images-lock-'))
test.after.always(() => rmSync(folder, { recursive: true }))

test('one at a time', async (t) => {
  const file = join(folder, 'one')
  const order: string[] = []
  const work = (name: string) => async () => {
    order.push(`${name} in`)
    await sleep(50)
    order.push(`${name} out`)
  }
  await Promise.all([withLock(file, work('a')), withLock(file, work('b'))])
  t.is(order[0]?.[0], order[1]?.[0])
  t.is(order.length, 4)
})

test('those that share a lock keep others out, and are told of at once', async (t) => {
  const file = join(folder, 'shared')
  const [a, b] = await Promise.all([
    takeLock(file, { shared: true }),
    takeLock(file, { shared: true }),
  ])
  t.is(await takeLock(file, { now: true }), undefined)
  await a?.()
  t.is(await takeLock(file, { now: true }), undefined)
  await b?.()
  const free = await takeLock(file, { now: true })
  t.truthy(free)
  await free?.()
})

test('a lock is free when the process that took it is gone', async (t) => {
  const file = join(folder, 'killed')
  const script = `
    import { takeLock } from './pipeline/host/lock.ts'
    await takeLock('${file}')
    console.log('locked')
    setInterval(() => {}, 1000)
  `
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script]
  const holder = start(process.execPath, args, { cwd: project })
  await new Promise((resolve) => holder.stdout?.once('data', resolve))
  t.is(await takeLock(file, { now: true }), undefined)
  holder.kill('SIGKILL')
  const free = await takeLock(file)
  t.truthy(free)
  await free?.()
})

test('work does not go on without its lock', async (t) => {
  await t.throwsAsync(
    withLock('/proc/self/nothing', async () => t.fail()),
    { message: /nothing/ },
  )
})
