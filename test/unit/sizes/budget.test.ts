import test from 'ava'
import { loadFacts } from '../../../pipeline/facts/load.js'
import { publishedImages } from '../../../pipeline/facts/published.js'
import { budgetOf, overBudget } from '../../../pipeline/sizes/budget.js'
import { loadMeasured } from '../../../pipeline/sizes/figures.js'
import { layeredRow } from '../../_helpers/dist.js'

const facts = structuredClone(loadFacts())
const measured = [layeredRow(), layeredRow({ kubernetes: 'v1.30.0', compressed: 12_000_000 })]
facts.budgets = {
  kubelet: {
    base: {
      '1.24': { compressed: 11, extracted: 42 },
      '1.30': { compressed: 12, extracted: 42 },
    },
  },
}

test('an image within its budget is no fault', (t) => {
  t.deepEqual(overBudget([layeredRow({ compressed: 11_000_000 })], facts, measured), [])
})

test('what grew is named, against the newest release measured up to its own', (t) => {
  const grown = layeredRow({ kubernetes: 'v1.29.9', compressed: 12_500_000, extracted: 43_000_000 })
  t.deepEqual(overBudget([grown], facts, measured), [
    'kubelet:v1.29.9-static linux/amd64 is over its budget in variants.json: 12.50 MB compressed instead of 11.00 MB (grew since v1.24.0: kubelet +2.50 MB); 43.00 MB extracted instead of 42.00 MB (grew since v1.24.0: kubelet +3.00 MB)',
  ])
  const newer = { ...grown, kubernetes: 'v1.36.0', tag: 'v1.36.0-static', extracted: 1 }
  t.regex(
    overBudget([newer], facts, measured)[0] ?? '',
    /grew since v1\.30\.0: kubelet \+0\.50 MB\)$/,
  )
})

test('a budget that was lowered is over without growth', (t) => {
  const lowered = structuredClone(facts)
  lowered.budgets = { kubelet: { base: { '1.24': { compressed: 9, extracted: 42 } } } }
  const [fault] = overBudget([layeredRow()], lowered, measured)
  t.regex(
    fault ?? '',
    /10\.00 MB compressed instead of 9\.00 MB \(grew since v1\.24\.0: nothing\)$/,
  )
})

test('without figures to compare with the sizes are told', (t) => {
  const [fault] = overBudget([layeredRow({ compressed: 12_500_000 })], facts, [])
  t.regex(
    fault ?? '',
    /12\.50 MB compressed instead of 11\.00 MB \(no release of it was measured\)$/,
  )
})

test('gzip, other bases and minors before the first have no budget', (t) => {
  const large = { compressed: 99_000_000 }
  const others = [{ compression: 'gzip' }, { base: 'alpine3.23' }, { kubernetes: 'v1.23.6' }]
  const rows = others.map((other) => layeredRow({ ...large, ...other }))
  t.deepEqual(overBudget(rows, facts, measured), [])
})

test('every published image has a budget from v1.24 on', (t) => {
  const real = loadFacts()
  for (const [variant, { images }] of Object.entries(real.variants)) {
    for (const image of publishedImages(real).filter((one) => one in images)) {
      t.truthy(budgetOf(layeredRow({ image, variant }), real), `${image} ${variant}`)
    }
  }
})

test('what was measured is within the budgets, and so near to them that growth is noticed', (t) => {
  const real = loadFacts()
  t.deepEqual(overBudget(loadMeasured(), real, loadMeasured()), [])
  for (const row of loadMeasured().filter(({ arch }) => arch === 'amd64')) {
    const budget = budgetOf(row, real)
    if (budget === undefined) continue
    t.true(budget.compressed * 1e6 < row.compressed * 1.05, `${row.tag} compressed`)
    t.true(budget.extracted * 1e6 < row.extracted * 1.05, `${row.tag} extracted`)
  }
})
