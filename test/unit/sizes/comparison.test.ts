import test from 'ava'
import { compareBuilds, type ImageContent } from '../../../pipeline/sizes/comparison.js'
import { sizeRow } from '../../_helpers/dist.js'

function image(files: Record<string, number>, layer = 'kubelet', tag = 'v1'): ImageContent {
  const list = Object.entries(files).map(([path, size]) => ({ path, size }))
  const extracted = list.reduce((sum, { size }) => sum + size, 0)
  return {
    ...sizeRow({ tag }),
    layers: [{ name: layer, compressed: extracted / 2, extracted, files: list }],
  }
}

test('what changed, by the bytes that it changed', (t) => {
  const before = image({ kubelet: 100, same: 8, gone: 2 })
  const after = image({ kubelet: 90, same: 8, added: 30 })
  const place = { image: 'kubelet:v1', arch: 'amd64', layer: 'kubelet' } as const
  t.deepEqual(compareBuilds([before], [after]), [
    { ...place, file: 'added', before: 0, after: 30 },
    { ...place, file: 'kubelet', before: 100, after: 90 },
    { ...place, before: 55, after: 64 },
    { ...place, file: 'gone', before: 2, after: 0 },
  ])
})

test('the same builds do not differ', (t) => {
  t.deepEqual(compareBuilds([image({ kubelet: 1 })], [image({ kubelet: 1 })]), [])
})

test('a file in another layer is compared with itself', (t) => {
  const before = image({ kubelet: 100 })
  const after = image({ kubelet: 110 }, 'kubelet-kubeadm')
  const files = compareBuilds([before], [after]).filter(({ file }) => file)
  t.like(files, [{ layer: 'kubelet-kubeadm', file: 'kubelet', before: 100, after: 110 }])
  t.is(files.length, 1)
})

test('images of other names are compared where the key says so', (t) => {
  const [before, after] = [image({ kubelet: 2 }), image({ kubelet: 4 }, 'kubelet', 'v2')]
  t.is(compareBuilds([before], [after]).length, 4)
  const changes = compareBuilds([before], [after], ({ arch }) => arch)
  t.like(changes[0], { image: 'kubelet:v2', before: 2, after: 4 })
  t.is(changes.length, 2)
})
