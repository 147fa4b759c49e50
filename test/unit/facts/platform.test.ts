import test from 'ava'
import { allArches, parseArch, platformOf } from '../../../pipeline/facts/platform.js'

const reads = test.macro((t, text: string, expected: string) => {
  t.is(parseArch(text), expected as never)
})

test('amd64', reads, 'amd64', 'amd64')
test('x86_64', reads, 'x86_64', 'amd64')
test('linux/amd64', reads, 'linux/amd64', 'amd64')
test('aarch64', reads, 'aarch64', 'arm64')
test('linux/arm64', reads, 'linux/arm64', 'arm64')
test('arm32v7', reads, 'arm32v7', 'arm')
test('arm/v7', reads, 'arm/v7', 'arm')
test('ARMv7', reads, 'ARMv7', 'arm')

test('riscv64 is refused', (t) => {
  t.throws(() => parseArch('riscv64'), {
    message: 'unknown architecture "riscv64": choose from amd64, arm64, arm.',
  })
})

test('platforms are OCI platforms', (t) => {
  t.deepEqual(
    allArches.map((arch) => platformOf(arch).platform),
    ['linux/amd64', 'linux/arm64', 'linux/arm/v7'],
  )
})
