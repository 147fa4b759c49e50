import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import type { Check } from '../../pipeline/smoke/report.js'
import { npm, project, run } from '../_helpers/command.js'

// Real nodes from the images of v1.24.0: what `npm run smoke` checks.

const image = ['--k8s', 'v1.24.0', '--base', 'static']

for (const asked of ['standalone', 'join', 'hardway', 'join --machine vm']) {
  test.serial(`a node, ${asked}`, async (t) => {
    t.timeout(3_600_000)
    const flags = ['--mode', ...asked.split(' '), ...image, '--json']
    const { status, stdout, stderr } = await npm('smoke', flags)
    t.is(status, 0, stderr)
    const checks: Check[] = JSON.parse(stdout)
    for (const { check, detail, seconds } of checks) t.log(check, detail ?? '', `${seconds} s`)
    t.deepEqual(
      checks.filter(({ passed }) => !passed),
      [],
    )
    t.is(checks.at(-1)?.check, 'nothing is left on this machine')
  })
}

test.serial('interrupted while a pod runs, it leaves nothing', async (t) => {
  t.timeout(900_000)
  const folder = await mkdtemp(join(tmpdir(), 'kubelet-images-interrupted-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const smoke = spawn('node', ['scripts/run.mjs', 'smoke', '--mode', 'standalone', ...image], {
    cwd: project,
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = once(smoke, 'close')
  let output = ''
  await new Promise<void>((resolve) => {
    smoke.once('close', () => resolve())
    smoke.stdout.on('data', (text: Buffer) => {
      output += text
      if (output.includes('✔ one container of it runs')) resolve()
    })
  })
  const groups = ['/sys/fs/cgroup', '-maxdepth', '2', '-name', `web-${smoke.pid}`]
  t.not((await run('find', groups)).stdout, '', 'it runs')
  smoke.kill('SIGINT')
  t.deepEqual(await ended, [130, null], output)
  // tsx keeps compiled TypeScript there.
  t.deepEqual(
    (await readdir(folder)).filter((name) => !name.startsWith('tsx-')),
    [],
  )
  t.notRegex(await readFile('/proc/mounts', 'utf8'), new RegExp(folder))
  t.is((await run('pgrep', ['--full', folder])).stdout, '')
  t.is((await run('find', groups)).stdout, '')
})

test.serial(
  'without the right to make interfaces it says so before it builds anything',
  async (t) => {
    const limited = ['--bounding-set=-net_admin', '--inh-caps=-net_admin']
    const command = ['node', 'scripts/run.mjs', 'smoke', '--mode', 'standalone']
    const { status, stderr } = await run('setpriv', [...limited, ...command])
    t.is(status, 1)
    t.regex(stderr, /^this machine cannot run nodes, .*: pairs of network interfaces \(veth\); /m)
    t.notRegex(stderr, /overlay file systems|engine:/)
  },
)
