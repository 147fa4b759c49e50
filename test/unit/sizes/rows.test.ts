import test from 'ava'
import { mergeSizes, type SizeRow } from '../../../pipeline/sizes/rows.js'

const row = (tag: string, arch: SizeRow['arch'], digest: string): SizeRow => ({
  image: 'kubelet',
  tag,
  kubernetes: 'v1.24.0',
  base: 'static',
  variant: 'base',
  arch,
  compression: 'zstd',
  compressed: 1,
  extracted: 2,
  digest,
})

test('rows of other archives stay, those of a rebuilt archive go', (t) => {
  const earlier = [row('a', 'amd64', '1'), row('a', 'arm64', '2'), row('b', 'amd64', '3')]
  t.deepEqual(mergeSizes(earlier, [row('a', 'amd64', '4')]), [
    row('b', 'amd64', '3'),
    row('a', 'amd64', '4'),
  ])
})
