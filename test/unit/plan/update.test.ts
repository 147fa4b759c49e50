import { readFileSync } from 'node:fs'
import test from 'ava'
import { loadFacts } from '../../../pipeline/facts/load.js'
import { newsOf, withNewest } from '../../../pipeline/plan/update.js'

const facts = loadFacts()

test('newer releases of known minors, and minors that are not known', (t) => {
  const published = [
    'v1.36.999',
    'v1.36.5-rc.0',
    'v1.24.0',
    'v1.21.14',
    'v1.99.0',
    'v1.99.1-beta.0',
  ]
  t.deepEqual(newsOf(published, facts), { releases: ['v1.36.999'], minors: ['v1.99.0'] })
  const known = Object.values(facts.kubernetes).map(({ newest }) => newest)
  t.deepEqual(newsOf(known, facts), { releases: [], minors: [] })
})

test('the newest release is all that changes in variants.json', (t) => {
  const text = readFileSync('variants.json', 'utf8')
  const changed = withNewest(text, ['v1.36.999'], facts)
  t.is(JSON.parse(changed).kubernetes.releases['1.36'].newest, 'v1.36.999')
  t.is(changed.replace('v1.36.999', facts.kubernetes['1.36']?.newest as string), text)
})
