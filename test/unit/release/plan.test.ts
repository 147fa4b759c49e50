import test from 'ava'
import { UserError } from '../../../pipeline/facts/errors.js'
import { loadFacts } from '../../../pipeline/facts/load.js'
import { releaseNotes } from '../../../pipeline/release/notes.js'
import { planRelease } from '../../../pipeline/release/plan.js'
import type { ReleaseRequest } from '../../../pipeline/release/request.js'
import { loadOriginal } from '../../../pipeline/sizes/figures.js'
import { sizeRow } from '../../_helpers/dist.js'
import { parseReleaseRequest } from '../../_helpers/requests.js'

const facts = loadFacts()
const place = 'registry.example.org/nodes'

function request(text: string): ReleaseRequest {
  return parseReleaseRequest(text.split(' '), facts) as ReleaseRequest
}

function released(flags: string): string[] {
  const asked = request(`--k8s v1.24.0 --registry ${place} ${flags}`.trim())
  return planRelease(asked, facts).map(({ repository, spec }) => `${repository}:${spec.tag}`)
}

test('every image on every base, for every architecture', (t) => {
  const images = planRelease(request(`--k8s v1.24.0 --registry ${place}`), facts)
  t.deepEqual(
    images.map(({ spec }) => spec.base),
    Object.keys(facts.bases).flatMap((base) => Array(6).fill(base)),
  )
  for (const { spec } of images) t.deepEqual(spec.arches, ['amd64', 'arm64', 'arm'])
  t.is(released('')[0], `${place}/kubelet:v1.24.0-alpine3.23`)
  t.is(released('').at(-1), `${place}/kube-proxy:v1.24.0-static`)
})

test('a base and an image by flag', (t) => {
  t.deepEqual(released('--base static --image kube-proxy'), [`${place}/kube-proxy:v1.24.0-static`])
})

test('shards are parts of the whole, and keep what is compiled alike together', (t) => {
  const parts = ['1/3', '2/3', '3/3'].map((shard) => released(`--shard ${shard}`))
  t.deepEqual(
    parts.map(({ length }) => length),
    [4, 4, 4],
  )
  t.deepEqual(parts.flat().sort(), released('').sort())
  t.deepEqual(
    released('--base static --shard 1/6').concat(released('--base static --shard 2/6')),
    ['kube-proxy:v1.24.0-static', 'kubelet:v1.24.0-static'].map((name) => `${place}/${name}`),
  )
})

test('stages', (t) => {
  t.like(request(`--k8s v1.24.0 --registry ${place}`), { stage: 'all', plainHttp: false })
  t.like(request(`--k8s v1.24.0 --registry ${place} --tags`), { stage: 'tags', dryRun: false })
  t.like(request(`--k8s v1.24.0 --registry ${place} --shard 2/3 --dry-run`), {
    stage: { part: 2, count: 3 },
    dryRun: true,
  })
})

for (const registry of ['registry.example.org/a/b-c', 'localhost:5000/n', '127.0.0.1:5000/n.n']) {
  test(`registry ${registry}`, (t) => {
    t.is(request(`--k8s v1.24.0 --registry ${registry}`).registry, registry)
  })
}

const malformed = 'write HOST/NAMESPACE, for example registry.example.org/nodes'
const wrong: [string, string][] = [
  [
    '--registry registry.example.org/n',
    'missing --k8s: name the Kubernetes release, for example --k8s v1.24.0',
  ],
  ['--k8s v1.24.0', 'missing --registry: name where the images go, as HOST/NAMESPACE'],
  ...['registry.example.org', 'nodes/kubelet', 'https://registry.example.org/n', 'a.b/N'].map(
    (registry): [string, string] => [
      `--k8s v1.24.0 --registry ${registry}`,
      `malformed --registry "${registry}": ${malformed}`,
    ],
  ),
  ...['0/2', '3/2', '1', 'a/b'].map((shard): [string, string] => [
    `--k8s v1.24.0 --registry ${place} --shard ${shard}`,
    `malformed --shard "${shard}": write PART/COUNT, for example 1/3`,
  ]),
  [
    `--k8s v1.24.0 --registry ${place} --shard 1/2 --tags`,
    '--tags is for all shards together: leave --shard out',
  ],
  [`--k8s v1.24.0 --registry ${place} --shard 1/13`, '--shard 1/13: there are only 12 images'],
]
for (const [args, message] of wrong) {
  test(`wrong: ${args}`, (t) => {
    t.throws(() => planRelease(request(args), facts), { instanceOf: UserError, message })
  })
}

test('an index has every architecture', (t) => {
  t.throws(() => request(`--k8s v1.24.0 --registry ${place} --arch arm`), {
    instanceOf: UserError,
    message: /^unknown flag "--arch"/,
  })
})

test('notes name every image by its digest, and its sizes beside those of the original', (t) => {
  const image = { ref: 'registry.example.org/nodes/kubelet:v1.24.0-static', digest: 'sha256:1' }
  const notes = releaseNotes(
    [{ ...image, sizes: [sizeRow({ compressed: 11_240_000 })] }],
    loadOriginal(),
  )
  t.true(notes.includes(`| \`${image.ref}\` | \`sha256:1\` |`), notes)
  t.regex(notes, /^\| base \| amd64 \| 11\.24 \(−55 %\) \| 24\.75 \|/m)
})
