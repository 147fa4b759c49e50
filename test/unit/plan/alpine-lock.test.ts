import test from 'ava'
import { UserError } from '../../../pipeline/facts/errors.js'
import { loadFacts } from '../../../pipeline/facts/load.js'
import type { Facts } from '../../../pipeline/facts/schema.js'
import {
  type AlpineLock,
  lockedPackages,
  lockOf,
  parseLock,
} from '../../../pipeline/plan/alpine-lock.js'
import { planImages } from '../../../pipeline/plan/images.js'
import type { BuildRequest } from '../../../pipeline/plan/request.js'
import type { AlpineRoot, ImageSpec } from '../../../pipeline/plan/spec.js'
import { parseBuildRequest } from '../../_helpers/requests.js'

const facts = loadFacts()
const alpine = '--k8s v1.24.0 --image kubelet --variant base --base alpine3.23'

function request(args: string, known = facts): BuildRequest {
  return parseBuildRequest(args.split(' '), known) as BuildRequest
}

function plan(args: string, known = facts): ImageSpec & { root: AlpineRoot } {
  return planImages(request(args, known), known)[0] as ImageSpec & { root: AlpineRoot }
}

const { common, userland } = facts.alpine
const kubelet = [
  ...common,
  ...['util-linux', 'iptables', 'busybox', 'conntrack'].flatMap((part) => userland[part] ?? []),
].sort()

test('an image on Alpine', (t) => {
  const spec = plan(`${alpine} --apk curl,jq=1.8.1-r0 --apk curl`)
  t.like(spec, { tag: 'v1.24.0-alpine3.23', base: 'alpine3.23' })
  t.like(spec.root, { kind: 'alpine', release: 'v3.23', origin: facts.alpine.mirror })
  t.deepEqual(spec.root.world, [...kubelet, 'curl', 'jq=1.8.1-r0'].sort())
})

test('another release of Alpine is data alone', (t) => {
  const bases = {
    ...facts.bases,
    'alpine3.22': { ...facts.bases['alpine3.23'], release: 'v3.22' },
  }
  const more = { ...facts, bases } as Facts
  const spec = plan(alpine.replace('3.23', '3.22'), more)
  t.is(spec.tag, 'v1.24.0-alpine3.22')
  t.is(spec.root.release, 'v3.22')
})

test('each image and release has the packages of the programs that it runs', (t) => {
  const world = (args: string) => plan(args).root.world
  const proxy = alpine.replace('kubelet', 'kube-proxy')
  t.deepEqual(
    world(proxy).filter((name) => !common.includes(name)),
    ['conntrack-tools', 'ipset', 'iptables', 'iptables-legacy', 'kmod'],
  )
  t.true(world(proxy.replace('v1.24.0', 'v1.36.0')).includes('nftables'))
  t.false(world(alpine.replace('v1.24.0', 'v1.36.0')).includes('conntrack-tools'))
})

test('flags for Alpine', (t) => {
  const flags = '--alpine-mirror http://mirror/alpine/ --alpine-key a.pub --alpine-key b.pub'
  t.deepEqual(request(`${alpine} ${flags} --alpine-lock a.lock.json`).alpine, {
    mirror: 'http://mirror/alpine',
    keys: ['a.pub', 'b.pub'],
    locks: ['a.lock.json'],
    packages: [],
  })
})

const refuses = test.macro((t, args: string, message: string) => {
  t.throws(() => request(args), { instanceOf: UserError, message })
})

test(
  'a package that cannot be one',
  refuses,
  `${alpine} --apk curl;ls`,
  'malformed Alpine package "curl;ls": write NAME or NAME=VERSION',
)
test(
  'a mirror that is no URL',
  refuses,
  `${alpine} --alpine-mirror ftp://mirror`,
  'malformed --alpine-mirror "ftp://mirror": write the URL above the releases, such as https://dl-cdn.alpinelinux.org/alpine',
)
test(
  'a lock for the static base',
  refuses,
  '--k8s v1.24.0 --base static --alpine-lock x',
  '--alpine-lock is for Alpine, not for base static: leave it out, or choose --base alpine3.23',
)

const musl = {
  name: 'musl',
  version: '1.2.5-r23',
  repository: 'main',
  checksum: 'Q1xOzpn0w/37LqbO3qKfK+lcKrzdk=',
  sha256: '3106c7bc7d4b0ee70195cbadec90a6e0281407b853681954b0e27d6e81d3a52b',
}

function lockFor(spec: ImageSpec & { root: AlpineRoot }): AlpineLock {
  return lockOf(spec, spec.root, { amd64: [musl], arm64: [musl] })
}

test('a lock is read as it was written, for the architectures that are asked for', (t) => {
  const spec = plan(`${alpine} --arch arm64`)
  const lock = parseLock(JSON.stringify(lockFor(spec)), 'a.lock.json')
  t.deepEqual(lock, lockFor(spec))
  t.deepEqual(lockedPackages(spec, spec.root, [lock]), { arm64: [musl] })
  t.is(lockedPackages(spec, spec.root, []), undefined)
})

const misfits = test.macro((t, args: string, message: string) => {
  const spec = plan(args)
  const lock = lockFor(plan(alpine))
  t.throws(() => lockedPackages(spec, spec.root, [lock]), { instanceOf: UserError, message })
})

test(
  'a lock of other packages',
  misfits,
  `${alpine} --arch amd64 --apk curl`,
  `the lock of image kubelet is of other packages (${kubelet.join(' ')}): build without --alpine-lock for a new lock`,
)
test(
  'a lock of other architectures',
  misfits,
  `${alpine} --arch arm`,
  'the lock of image kubelet is not of arm: build without --alpine-lock for a new lock',
)

test('a lock of another image', (t) => {
  const spec = plan(alpine)
  const lock = { ...lockFor(spec), image: 'kube-proxy' }
  t.throws(() => lockedPackages(spec, spec.root, [lock]), {
    message:
      'no --alpine-lock is of image kubelet on alpine3.23: name its lock too, or build without --alpine-lock for a new lock',
  })
})

test('a lock of another release of Alpine', (t) => {
  const spec = plan(alpine)
  t.throws(() => lockedPackages(spec, spec.root, [{ ...lockFor(spec), release: 'v3.22' }]), {
    instanceOf: UserError,
    message:
      'the lock of image kubelet is of Alpine v3.22 (main community): build without --alpine-lock for a new lock',
  })
})

test('something that is no lock', (t) => {
  for (const text of ['{', '"text"', '{}']) {
    t.throws(() => parseLock(text, 'a.json'), {
      instanceOf: UserError,
      message:
        /^--alpine-lock a\.json is not the \.lock\.json of a build.*: take one that a build wrote$/,
    })
  }
})

const edited = test.macro((t, change: Partial<typeof musl>, fault: string) => {
  const lock = { ...lockFor(plan(alpine)), packages: { amd64: [{ ...musl, ...change }] } }
  t.throws(() => parseLock(JSON.stringify(lock), 'a.json'), {
    instanceOf: UserError,
    message: `--alpine-lock a.json is not the .lock.json of a build (packages.amd64.0.${fault}): take one that a build wrote`,
  })
})

test('a lock with an empty hash', edited, { sha256: '' }, 'sha256: is not a SHA-256 in hexadecimal')
test(
  'a lock with a path as name',
  edited,
  { name: '../../x' },
  'name: is not the name of a package',
)
test(
  'a lock with a path as version',
  edited,
  { version: '1/../2' },
  'version: is not the version of a package',
)
test(
  'a lock with a path as repository',
  edited,
  { repository: '..' },
  'repository: is not the name of a repository',
)
test(
  'a lock with another checksum',
  edited,
  { checksum: 'Q2' },
  'checksum: is not a checksum of an index',
)
