import test from 'ava'
import { UserError } from '../../../pipeline/facts/errors.js'
import { loadFacts } from '../../../pipeline/facts/load.js'
import type { WhyRequest } from '../../../pipeline/sizes/request.js'
import { chooseRow, largest, packagesByFile } from '../../../pipeline/sizes/why.js'
import { sizeRow } from '../../_helpers/dist.js'
import { parseSizesRequest } from '../../_helpers/requests.js'

const rows = [
  sizeRow(),
  sizeRow({ arch: 'arm64' }),
  sizeRow({ kubernetes: 'v1.36.4', arch: 'arm64' }),
]
const why = (args: string) => {
  const flags = `--why kubelet ${args}`.split(' ')
  return chooseRow(rows, parseSizesRequest(flags, loadFacts()) as WhyRequest)
}

test('the image that is meant is chosen, by release where there are several', (t) => {
  t.is(why('--arch amd64'), rows[0] as (typeof rows)[0])
  t.is(why('--arch arm64 --k8s v1.36.4'), rows[2] as (typeof rows)[0])
  t.throws(() => why('--arch arm64'), {
    instanceOf: UserError,
    message:
      'dist has several that fit: choose by --k8s and --base from v1.24.0-static, v1.36.4-static',
  })
  t.throws(() => why('--arch arm --variant cni'), {
    instanceOf: UserError,
    message: 'dist has no image for kubelet, cni, arm: build it first, see npm run build -- --help',
  })
})

test('small parts are summed up', (t) => {
  const parts = [3, 50, 7, 100].map((bytes) => ({ name: `of ${bytes}`, bytes }))
  t.deepEqual(largest(parts, 50), [
    { name: 'of 100', bytes: 100 },
    { name: 'of 50', bytes: 50 },
    { name: '(2 smaller)', bytes: 10 },
  ])
  t.deepEqual(largest(parts.slice(1, 2), 50), [{ name: 'of 50', bytes: 50 }])
})

test('files of Alpine have packages, in directories and above them', (t) => {
  const database =
    'P:busybox\nV:1.37.0\nF:bin\nR:busybox\na:0:0:755\nF:\nR:init\n\nP:musl\nF:lib\nR:libc.so\n'
  t.deepEqual(Object.fromEntries(packagesByFile(database)), {
    'bin/busybox': 'busybox',
    init: 'busybox',
    'lib/libc.so': 'musl',
  })
})
