import test from 'ava'
import { UserError } from '../../../pipeline/facts/errors.js'
import { loadFacts } from '../../../pipeline/facts/load.js'
import { parseBuildRequest } from '../../_helpers/requests.js'

const facts = loadFacts()

const accepts = test.macro((t, args: string, expected: object) => {
  t.like(parseBuildRequest(args.split(' '), facts), expected)
})

const refuses = test.macro((t, args: string, message: string) => {
  const error = t.throws(() => parseBuildRequest(args.split(' ').filter(Boolean), facts), {
    instanceOf: UserError,
    message,
  })
  t.false(error.message.includes('\n'), 'one line')
})

test('all architectures by default', accepts, '--k8s v1.24.0', {
  kubernetes: { version: 'v1.24.0', minor: '1.24', patch: 0 },
  arches: ['amd64', 'arm64', 'arm'],
  alpine: { keys: [], locks: [], packages: [] },
  output: 'dist',
})
test('the v may be left out', accepts, '--k8s 1.30.14', { kubernetes: { version: 'v1.30.14' } })
test('lists and spellings', accepts, '--k8s=v1.24.0 --arch aarch64,linux/arm/v7 --arch arm32v7', {
  arches: ['arm64', 'arm'],
})
test('zstd from v1.24 on', accepts, '--k8s v1.24.0', { compression: 'zstd' })
test('gzip below v1.24', accepts, '--k8s v1.23.6', { compression: 'gzip' })
test('compression by flag', accepts, '--k8s v1.24.0 --compression gzip', { compression: 'gzip' })
test('engine by flag', accepts, '--k8s v1.24.0 --engine embedded', { engine: 'embedded' })

test(
  'no version',
  refuses,
  '',
  'missing --k8s: name the Kubernetes release, for example --k8s v1.24.0',
)
test(
  'a version without patch',
  refuses,
  '--k8s v1.24',
  'malformed Kubernetes version "v1.24": write it as vMAJOR.MINOR.PATCH, from v1.22 to v1.36. Did you mean v1.24.0?',
)
test(
  'a word for a version',
  refuses,
  '--k8s latest',
  'malformed Kubernetes version "latest": write it as vMAJOR.MINOR.PATCH, from v1.22 to v1.36.',
)
test(
  'a version below 1.22',
  refuses,
  '--k8s v1.21.9',
  'unsupported Kubernetes version "v1.21.9": images are built from v1.22 to v1.36. The nearest is v1.22.',
)
test(
  'Alpine without network',
  refuses,
  '--k8s v1.24.0 --offline --base alpine3.23',
  'base alpine3.23 cannot be built offline, because its packages come from a mirror: take --base static',
)
test(
  'a pre-release',
  refuses,
  '--k8s v1.24.0-rc.1',
  'unsupported Kubernetes version "v1.24.0-rc.1": only releases are built, from v1.22 to v1.36. Did you mean v1.24.0?',
)
test(
  'an architecture',
  refuses,
  '--k8s v1.24.0 --arch amd46',
  'unknown architecture "amd46": choose from amd64, arm64, arm. Did you mean amd64?',
)
test(
  'a variant',
  refuses,
  '--k8s v1.24.0 --variant bas',
  `unknown variant "bas": choose from ${Object.keys(facts.variants).join(', ')}. Did you mean base?`,
)
test(
  'an image',
  refuses,
  '--k8s v1.24.0 --image kublet',
  'unknown image "kublet": choose from kubelet, kube-proxy. Did you mean kubelet?',
)
test(
  'a base',
  refuses,
  '--k8s v1.24.0 --base statik',
  `unknown base "statik": choose from ${Object.keys(facts.bases).join(', ')}. Did you mean static?`,
)
test(
  'a compression',
  refuses,
  '--k8s v1.24.0 --compression gz',
  'unknown compression "gz": choose from zstd, gzip. Did you mean gzip?',
)
test(
  'a flag',
  refuses,
  '--k8s v1.24.0 --archs amd64',
  'unknown flag "--archs": choose from --k8s, --arch, --image, --variant, --base, --alpine-mirror, --alpine-key, --alpine-lock, --apk, --compression, --output, --engine, --offline, --plan, --json, --debug, --progress, --help. Did you mean --arch?',
)
test(
  'a forgotten dash',
  refuses,
  'k8s v1.24.0',
  'unexpected argument "k8s": every argument is a flag; see --help. Did you mean --k8s?',
)
test('a flag without its value', refuses, '--k8s', '--k8s needs a value: write --k8s <version>')

test('--offline takes a bundle or none, and means the static base', (t) => {
  const asked = (...args: string[]) => parseBuildRequest(['--k8s', 'v1.24.0', ...args], facts)
  t.like(asked('--offline', 'a.tar'), { offline: { bundle: 'a.tar' }, bases: ['static'] })
  t.like(asked('--offline=a.tar', '--json'), { offline: { bundle: 'a.tar' } })
  t.like(asked('--offline', '--json'), { offline: {}, json: true })
  t.like(asked('--offline'), { offline: {} })
})

test('every base where none is named, those of Alpine where only they can give what is asked for', (t) => {
  const asked = (...args: string[]) => parseBuildRequest(['--k8s', 'v1.24.0', ...args], facts)
  t.like(asked(), { bases: Object.keys(facts.bases), basesNamed: false })
  t.like(asked('--apk', 'curl'), { bases: ['alpine3.23'], basesNamed: false })
  t.like(asked('--base', 'static'), { bases: ['static'], basesNamed: true })
})
test(
  'a flag in place of a value',
  refuses,
  '--k8s --plan',
  '--k8s needs a value: write --k8s <version>',
)
test(
  'a value for a flag without',
  refuses,
  '--k8s v1.24.0 --plan=yes',
  '--plan takes no value: write it alone',
)
