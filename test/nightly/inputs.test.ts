import test from 'ava'
import { loadLock, lockAge } from '../../pipeline/inputs/lock.js'
import { npm } from '../_helpers/command.js'

// What becomes true by itself, as days go by: a warning of the nightly workflow, and no failure of npm test.
test('the lock is not older than 60 days', (t) => {
  const days = lockAge(loadLock(), new Date())
  t.true(days <= 60, `${days} days: npm run update -- --inputs makes a new one`)
})

test("Debian's security archive has nothing newer than the lock", async (t) => {
  t.timeout(1_200_000)
  const { status, stdout, stderr } = await npm('update', ['--inputs', '--check'])
  t.is(status, 0, stderr)
  t.deepEqual(
    stdout.split('\n').filter((line) => line.endsWith('(security)')),
    [],
  )
})
