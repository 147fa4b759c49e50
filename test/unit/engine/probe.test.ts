import { createServer } from 'node:net'
import test from 'ava'
import { addressOf, answers } from '../../../pipeline/engine/probe.js'
import { run } from '../../_helpers/command.js'

test('runner hosts that are plain connections have an address', (t) => {
  t.deepEqual(addressOf('tcp://127.0.0.1:1234'), { host: '127.0.0.1', port: 1234 })
  t.deepEqual(addressOf('unix:///run/dagger/engine.sock'), { path: '/run/dagger/engine.sock' })
  t.is(addressOf('kube-pod://dagger-engine?namespace=dagger'), undefined)
})

test('a port answers while something listens', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  t.true(await answers({ host: '127.0.0.1', port }))
  await new Promise((resolve) => server.close(resolve))
  t.false(await answers({ host: '127.0.0.1', port }))
})

test('a runner that is not there is said at once', async (t) => {
  const flags = '--k8s v1.24.0 --base static --output never-written'
  const args = ['scripts/run.mjs', 'build', ...flags.split(' ')]
  const env = { _EXPERIMENTAL_DAGGER_RUNNER_HOST: 'tcp://127.0.0.1:1' }
  const { status, stderr } = await run('node', args, { env })
  t.is(status, 1)
  t.is(stderr, 'no engine answers at tcp://127.0.0.1:1: check _EXPERIMENTAL_DAGGER_RUNNER_HOST\n')
})
