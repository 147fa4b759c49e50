import test from 'ava'
import type { ImageSpec } from '../../../pipeline/plan/spec.js'
import { recordedRows } from '../../../pipeline/sizes/recorded.js'
import { sizeRow } from '../../_helpers/dist.js'

const spec = {
  image: 'kubelet',
  tag: 'v1.24.0-static',
  arches: ['amd64', 'arm64'],
  compression: 'zstd',
} as unknown as ImageSpec
const rows = (['amd64', 'arm64'] as const).map((arch) => ({
  ...sizeRow({ arch, digest: `sha256:${arch}` }),
  layers: [],
  lock: 'a',
}))

test('what is recorded for a lock', (t) => {
  const digests = recordedRows([spec], rows, 'a').map(({ digest }) => digest)
  t.deepEqual(digests, ['sha256:amd64', 'sha256:arm64'])
})

for (const [title, lock, differing, remedy] of [
  ['another lock', 'b', {}, /: npm run sizes records them$/],
  [
    'another compression',
    'a',
    { compression: 'gzip' },
    /: recorded are v1\.24\.0 static \(zstd\),/,
  ],
  [
    'another image',
    'a',
    { tag: 'v1.24.0-cni-static' },
    /: recorded are v1\.24\.0 static \(zstd\),/,
  ],
] as const) {
  test(`nothing is recorded for ${title}`, (t) => {
    const wanted = { ...spec, ...differing } as ImageSpec
    const error = t.throws(() => recordedRows([wanted], rows, lock), { name: 'UserError' })
    t.regex(error.message, /^no digest of kubelet:\S+ amd64 \(\w+\) is recorded for this lock: /)
    t.regex(error.message, remedy)
  })
}
