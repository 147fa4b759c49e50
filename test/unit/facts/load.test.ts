import test from 'ava'
import { loadVariants, parseVariants } from '../../../pipeline/facts/load.js'

type Editable = { [key: string]: Editable } & { [index: number]: Editable }

test('the real variants.json is valid', (t) => {
  t.notThrows(loadVariants)
})

const refuses = test.macro((t, edit: (facts: Editable) => void, message: string | RegExp) => {
  const facts = structuredClone(loadVariants()) as unknown as Editable
  edit(facts)
  t.throws(() => parseVariants(facts), { message })
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
    const minor = facts.kubernetes?.['1.24'] as Editable
    minor.newest = value('v1.25.1')
  },
  'variants.json: $.kubernetes["1.24"].newest: "v1.25.1" is not a release of 1.24',
)
test(
  'a minor without Go',
  refuses,
  (facts) => {
    const minor = facts.kubernetes?.['1.24'] as Editable
    minor.go = value({})
  },
  'variants.json: $.kubernetes["1.24"].go: "v1.24.0" is not a key of go',
)
