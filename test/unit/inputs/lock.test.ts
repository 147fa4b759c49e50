import { readFileSync } from 'node:fs'
import test from 'ava'
import { loadFacts } from '../../../pipeline/facts/load.js'
import { sourcesOf } from '../../../pipeline/facts/published.js'
import {
  everyPurpose,
  filesFor,
  type Lock,
  loadLock,
  lockAge,
  lockFile,
  parseLock,
  printLock,
} from '../../../pipeline/inputs/lock.js'
import { purposesOf } from '../../../pipeline/inputs/needed.js'
import { planImages } from '../../../pipeline/plan/images.js'
import type { BuildRequest } from '../../../pipeline/plan/request.js'
import { parseBuildRequest } from '../../_helpers/requests.js'

const facts = loadFacts()
const real = loadLock()

test('the lock is written as it would be written again: sorted, a line a file', (t) => {
  // Not t.is, which would print both.
  t.true(readFileSync(lockFile, 'utf8') === printLock(real))
})

test('the lock has files for everything that a build can need', (t) => {
  for (const purpose of everyPurpose(sourcesOf(facts), facts.sources.debian.machine.systems)) {
    t.not(filesFor(real, [purpose]).length, 0, purpose)
  }
})

test('every source has one archive of upstream, and patches unless the lock says that they are not served', (t) => {
  for (const source of sourcesOf(facts)) {
    const files = filesFor(real, [`source/${source}`])
    const [original, ...more] = files.filter(({ path }) => path.includes('.orig.tar.'))
    t.deepEqual(more, [])
    const patched = files.some(({ path }) => path.includes('.debian.tar.'))
    t.is(patched, original?.patches === undefined, source)
  }
})

test('a request needs the files of its architectures, programs and host alone', (t) => {
  const purposes = (flags: string) => {
    const args = `--k8s v1.24.0 --base static ${flags}`.split(' ')
    const request = parseBuildRequest(args, facts) as BuildRequest
    return purposesOf(planImages(request, facts), facts, 'amd64').sort()
  }
  t.deepEqual(purposes('--image kubelet --variant base --arch amd64'), [
    ...['builder/amd64', 'source/busybox', 'source/conntrack-tools', 'source/iptables'],
    ...['source/libnetfilter-conntrack', 'source/util-linux', 'target/amd64', 'zig/amd64'],
  ])
  t.deepEqual(purposes('--image kube-proxy --arch arm'), [
    ...['builder/amd64', 'compiler/amd64/arm', 'source/conntrack-tools', 'source/ipset/bookworm'],
    ...['source/iptables', 'source/kmod', 'source/libnetfilter-conntrack', 'target/arm'],
  ])
})

const remedy = ': restore it from git, or run npm run update -- --inputs'
const refuses = test.macro({
  exec(t, edit: (lock: Lock) => unknown, message: string | RegExp) {
    const lock = JSON.parse(printLock({ ...real, files: real.files.slice(0, 2) }))
    edit(lock)
    t.throws(() => parseLock(JSON.stringify(lock)), { name: 'UserError', message })
  },
  title: (title) => `a lock with ${title} is refused`,
})
const file = (lock: Lock) => lock.files[1] as Lock['files'][number]
test(
  'a path out of the archive',
  refuses,
  (lock: Lock) => Object.assign(file(lock), { path: '../../x' }),
  `inputs.lock.json: $.files[1].path is not a path below the archive${remedy}`,
)
test(
  'an absolute path',
  refuses,
  (lock: Lock) => Object.assign(file(lock), { path: '/etc/passwd' }),
  `inputs.lock.json: $.files[1].path is not a path below the archive${remedy}`,
)
test(
  'an empty checksum',
  refuses,
  (lock: Lock) => Object.assign(file(lock), { sha256: '' }),
  `inputs.lock.json: $.files[1].sha256 is not a SHA-256 in hexadecimal${remedy}`,
)
test(
  'a file that is there twice',
  refuses,
  (lock: Lock) => lock.files.push(file(lock)),
  `inputs.lock.json: ${real.files[1]?.archive}/${real.files[1]?.path} is there twice${remedy}`,
)

const [purpose] = real.files[1]?.for ?? []
test(
  'a file less',
  refuses,
  (lock: Lock) => lock.files.pop(),
  new RegExp(`^inputs.lock.json: ${purpose} has \\d files?, and \\d are counted${remedy}$`),
)

test('the age of a lock in days', (t) => {
  const made = '20261125T052303Z'
  t.is(lockAge({ made }, new Date('2026-11-26T05:23:02Z')), 0)
  t.is(lockAge({ made }, new Date('2027-01-25T05:23:03Z')), 61)
})

test('a lock that is no JSON, and one without what is needed', (t) => {
  t.throws(() => parseLock('{'), { message: `inputs.lock.json: it is not JSON${remedy}` })
  const without = { ...real, files: real.files.filter((one) => !one.for.includes('target/arm')) }
  t.throws(() => filesFor(without, ['target/arm']), {
    name: 'UserError',
    message: `inputs.lock.json has no file for target/arm${remedy}`,
  })
})
