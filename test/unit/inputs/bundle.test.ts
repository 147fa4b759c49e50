import test from 'ava'
import { loadFacts } from '../../../pipeline/facts/load.js'
import { type Bundle, parseBundle, verifyBundle } from '../../../pipeline/inputs/bundle.js'
import type { BuildRequest } from '../../../pipeline/plan/request.js'
import { parseBuildRequest } from '../../_helpers/requests.js'

const sum = 'ab'.repeat(32)
const bundle: Bundle = {
  format: 1,
  lock: sum,
  host: 'amd64',
  kubernetes: 'v1.24.0',
  arches: ['amd64', 'arm64'],
  images: ['kubelet'],
  variants: ['base'],
  files: { 'go/github.com/!burnt!sushi/toml/@v/v1.0.0+incompatible.zip': { size: 1, sha256: sum } },
}

test('the list of a bundle is read as it was written', (t) => {
  t.deepEqual(parseBundle(JSON.stringify(bundle), 'a.tar'), bundle)
})

test('another file, and a list that leads out of the cache', (t) => {
  const leading = (path: string) => ({ ...bundle, files: { [path]: { size: 1, sha256: sum } } })
  for (const fault of [
    '',
    '{}',
    { ...bundle, format: 2 },
    leading('/etc/x'),
    leading('go/../../x'),
  ]) {
    t.throws(
      () => parseBundle(typeof fault === 'string' ? fault : JSON.stringify(fault), 'a.tar'),
      {
        name: 'UserError',
        message: 'a.tar is no bundle of this version: make one by npm run inputs -- bundle',
      },
    )
  }
})

const verify = (flags: string, facts: { lock?: string; host?: string } = {}) => {
  const args = `--k8s v1.24.0 --arch arm64 --image kubelet --variant base ${flags}`
    .trim()
    .split(' ')
  const request = parseBuildRequest(args, loadFacts()) as BuildRequest
  verifyBundle(bundle, request, { name: 'a.tar', lock: sum, host: 'amd64', ...facts })
}

test('a bundle of more than is asked for', (t) => {
  t.notThrows(() => verify(''))
})

test('a bundle of another lock', (t) => {
  t.throws(() => verify('', { lock: 'cd'.repeat(32) }), {
    name: 'UserError',
    message: /^a\.tar was made for another inputs\.lock\.json than this checkout has: take/,
  })
})

const refuses = test.macro((t, flags: string, host: string, message: string) => {
  t.throws(() => verify(flags, { host }), {
    name: 'UserError',
    message: `a.tar has nothing for ${message}: ask for that, or make another by npm run inputs -- bundle`,
  })
})

test('another machine', refuses, '', 'arm64', 'machines of architecture arm64, only for amd64')
test('another release', refuses, '--k8s v1.25.4', 'amd64', 'Kubernetes v1.25.4, only for v1.24.0')
test('more architectures', refuses, '--arch arm', 'amd64', '--arch arm, only for amd64, arm64')
test('more variants', refuses, '--variant cni', 'amd64', '--variant cni, only for base')
