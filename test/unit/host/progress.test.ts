import test from 'ava'
import { duration } from '../../../pipeline/host/progress.js'
import { run } from '../../_helpers/command.js'

/** What a process prints of two steps, of which one fails. */
async function progressOf(mode: string): Promise<string> {
  const script = `
    import { countedStep, expectSteps, line, showProgress } from './pipeline/host/progress.ts'
    showProgress('${mode}')
    expectSteps(2)
    line('engine')
    await countedStep('kubelet', async () => {})
    await countedStep('kube-proxy', async () => { throw new Error() }).catch(() => {})
  `
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script]
  const { stdout, stderr } = await run(process.execPath, args)
  return stdout + stderr
}

test('each end of a step is counted, and says how it ended', async (t) => {
  const lines = [
    'engine',
    'kubelet',
    '[1/2] kubelet ✔ 0:00',
    'kube-proxy',
    '[2/2] kube-proxy ✘ 0:00',
  ]
  const expected = lines.map((text) => `[0:00] ${text}\n`).join('')
  t.is(await progressOf('plain'), expected)
  t.is(await progressOf('auto'), expected, 'there is no terminal')
})

test('on a terminal the last line is painted over', async (t) => {
  t.true((await progressOf('tty')).includes('\r\x1b[K[0:00] [1/2] kubelet ✔ 0:00\n'))
})

test('quiet is quiet', async (t) => {
  t.is(await progressOf('quiet'), '')
})

test('a mode that there is not', async (t) => {
  t.regex(
    await progressOf('loud'),
    /unknown progress "loud": choose from auto, plain, tty, quiet\./,
  )
})

test('minutes and seconds', (t) => {
  t.deepEqual([0, 59_999, 256_000, 3_600_000].map(duration), ['0:00', '0:59', '4:16', '60:00'])
})
