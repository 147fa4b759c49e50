import test from 'ava'
import { UserError } from '../../../pipeline/facts/errors.js'
import { loadFacts } from '../../../pipeline/facts/load.js'
import { parseSizesRequest } from '../../_helpers/requests.js'

const facts = loadFacts()
const words = (text: string) => text.split(' ').filter(Boolean)

const accepts = test.macro((t, args: string, expected: object) => {
  t.like(parseSizesRequest(words(args), facts), expected)
})

const refuses = test.macro((t, args: string, message: string | RegExp) => {
  t.throws(() => parseSizesRequest(words(args), facts), { instanceOf: UserError, message })
})

test('the matrix of dist', accepts, '', { mode: 'matrix', output: 'dist' })
test('the matrix of a build', accepts, '--k8s v1.24.0 --base static --output out', {
  mode: 'matrix',
  build: { kubernetes: { version: 'v1.24.0' }, bases: ['static'] },
  output: 'out',
})
test('why', accepts, '--why kubelet --variant kubeadm-cni --arch aarch64 --k8s 1.24.0 --json', {
  mode: 'why',
  image: 'kubelet',
  variant: 'kubeadm-cni',
  arch: 'arm64',
  kubernetes: 'v1.24.0',
  output: 'dist',
  json: true,
})
test('a difference', accepts, '--diff a b', { mode: 'diff', before: 'a', after: 'b', json: false })

test(
  'why of what is no image',
  refuses,
  '--why kublet --arch arm64',
  'unknown image "kublet": choose from kubelet, kube-proxy. Did you mean kubelet?',
)
test('why of nothing', refuses, '--why', '--why needs a value: write --why <image>')
test(
  'why without an architecture',
  refuses,
  '--why kubelet',
  'missing --arch: name the architecture of the image, for example --arch arm64',
)
test(
  'why with a misspelt variant',
  refuses,
  '--why kubelet --arch arm64 --variant cnu',
  /^unknown variant "cnu": .* Did you mean cni\?$/,
)
test(
  'a difference to nothing',
  refuses,
  '--diff a',
  '--diff compares two: --diff BEFORE AFTER, directories of npm run build or archives',
)
test('a difference of three', refuses, '--diff a b c', /^--diff compares two: /)
test(
  'a flag of another mode',
  refuses,
  '--diff a b --arch arm64',
  /^--arch has no place with --diff: choose from --diff, --json$/,
)
test('a plan', refuses, '--k8s v1.24.0 --plan', /^unknown flag "--plan"/)
test(
  'a word',
  refuses,
  'kubelet',
  /^unexpected argument "kubelet": every argument is a flag; see --help\.$/,
)
