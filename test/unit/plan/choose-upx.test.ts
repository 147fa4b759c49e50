import test from 'ava'
import { bestPacking, type Measurement } from '../../../pipeline/plan/choose-upx.js'

const plain: Measurement = { packing: 'none', extracted: 40, gzip: 12, zstd: 10, start: 50 }
const small: Measurement = { packing: 'upx', extracted: 9, gzip: 9, zstd: 9, start: 600 }

test('the packing that takes the least room wins', (t) => {
  t.is(bestPacking([plain, small], 700), 'upx')
})

test('a packing that starts too slowly does not', (t) => {
  t.is(bestPacking([plain, small], 599), 'none')
})

test('a compressed layer that is a little smaller does not make up for a larger file', (t) => {
  t.is(bestPacking([{ ...plain, zstd: 8 }, small], 700), 'upx')
})

test('a daemon is never packed', (t) => {
  t.is(bestPacking([plain, { ...small, start: 1 }]), 'none')
})
