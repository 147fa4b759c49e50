import { readFileSync } from 'node:fs'
import test from 'ava'
import { loadFacts, lookup, makeFacts, variantsFile } from '../../../pipeline/facts/load.js'

type Editable = { [key: string]: Editable } & { [index: number]: Editable }

test('the real variants.json is valid', (t) => {
  t.notThrows(loadFacts)
})

const refuses = test.macro((t, edit: (facts: Editable) => void, message: string | RegExp) => {
  const facts = JSON.parse(readFileSync(variantsFile, 'utf8')) as Editable
  edit(facts)
  t.throws(() => makeFacts(facts, { programs: {}, dynamic: {} }), { message })
})

/** Any value where the type wants a table. */
const value = (content: unknown) => content as Editable

test(
  'a misspelt key',
  refuses,
  (facts) => {
    const base = facts.bases?.static as Editable
    base.descripton = value('a slip')
  },
  'variants.json: $.bases.static: Unrecognized key: "descripton"',
)
test(
  'a missing field',
  refuses,
  (facts) => {
    delete facts.images?.kubelet?.entrypoint
  },
  /^variants\.json: \$\.images\.kubelet\.entrypoint: Invalid input/,
)
test(
  'a reference to nothing',
  refuses,
  (facts) => {
    const images = facts.variants?.base?.images as Editable
    images.kubelet = value(['kublet'])
  },
  'variants.json: $.variants.base.images.kubelet[0]: "kublet" is not a key of components',
)
test(
  'a budget of nothing',
  refuses,
  (facts) => {
    const budgets = facts.budgets?.kubelet as Editable
    budgets.cnu = budgets.cni as Editable
  },
  'variants.json: $.budgets.kubelet.cnu: "cnu" is not a key of variants',
)
test(
  'a release of another minor',
  refuses,
  (facts) => {
    const minor = facts.kubernetes?.releases?.['1.24'] as Editable
    minor.newest = value('v1.25.1')
  },
  'variants.json: $.kubernetes.releases["1.24"].newest: "v1.25.1" is not a release of 1.24',
)
test(
  'a minor without Go',
  refuses,
  (facts) => {
    const minor = facts.kubernetes?.releases?.['1.24'] as Editable
    minor.go = value({})
  },
  'variants.json: $.kubernetes.releases["1.24"].go: "v1.24.0" is not a key of go',
)
test(
  'a Go minor without a patch release',
  refuses,
  (facts) => {
    delete facts.go?.['1.18']
  },
  'variants.json: $.kubernetes.releases["1.24"].go["v1.24.0"]: "1.18" is not a key of go',
)
test(
  'a difference since what is no minor',
  refuses,
  (facts) => {
    const difference = facts.kubernetes?.differences?.[1] as Editable
    difference.until = value('1.99')
  },
  'variants.json: $.kubernetes.differences[1].until: "1.99" is not a key of releases',
)

test('each minor has what holds for it', (t) => {
  const { kubernetes } = loadFacts()
  t.like(kubernetes['1.23'], {
    dockershim: true,
    cniFlags: ['--network-plugin=cni'],
    go: { 'v1.23.17': '1.19.13' },
  })
  t.like(kubernetes['1.24'], { dockershim: false, cniFlags: [], kubeadmApi: 'v1beta3' })
  t.deepEqual(kubernetes['1.30']?.userland, {
    kubelet: ['conntrack'],
    'kube-proxy': ['conntrack', 'nft'],
  })
  t.like(kubernetes['1.36'], {
    containerd: 2,
    kubeadmApi: 'v1beta4',
    userland: { 'kube-proxy': ['nft'] },
  })
})

test('what is not there is told, not undefined', (t) => {
  t.throws(() => lookup('variant', {}, 'toString'), { message: 'there is no variant "toString"' })
})
