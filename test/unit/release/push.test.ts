import test from 'ava'
import { UserError } from '../../../pipeline/facts/errors.js'
import { takeCredentials } from '../../../pipeline/release/push.js'

test('credentials are taken out of the environment', (t) => {
  const env = { PATH: '/bin', REGISTRY_USERNAME: 'me', REGISTRY_PASSWORD: 'secret' }
  t.deepEqual(takeCredentials(env), { REGISTRY_USERNAME: 'me', REGISTRY_PASSWORD: 'secret' })
  t.deepEqual(env, { PATH: '/bin' } as typeof env)
  t.deepEqual(takeCredentials(env), {})
})

test('a password without a name', (t) => {
  t.throws(() => takeCredentials({ REGISTRY_PASSWORD: 'secret' }), {
    instanceOf: UserError,
    message:
      'REGISTRY_PASSWORD is set alone: set REGISTRY_USERNAME and REGISTRY_PASSWORD, or neither',
  })
})
