import { readFileSync } from 'node:fs'
import type { Container, Directory } from '@dagger.io/dagger'
import type { Platform } from '../facts/platform.js'
import type { Packing } from '../facts/schema.js'
import type { Builder } from './builder.js'

const packings = readFileSync(new URL('upx.sh', import.meta.url), 'utf8')
const measure = readFileSync(new URL('measure-upx.sh', import.meta.url), 'utf8')

/** The tree with its programs compressed. Lazy. */
export function withPacking({ root }: Builder, tree: Directory, packing: Packing): Directory {
  if (packing === 'none') return tree
  return withScript(root)
    .withDirectory('/tree', tree)
    .withExec(['sh', '-euc', '. /packings.sh; pack "$1" /tree', 'pack', packing])
    .directory('/tree')
}

/** A line of JSON, a Measurement, for each way to compress the programs of the tree. `start` is the command that is timed. */
export function measurePackings(
  { root, host }: Builder,
  tree: Directory,
  { platform, start }: { platform: Platform; start: readonly string[] },
): Promise<string> {
  return withScript(root)
    .withNewFile('/measure.sh', measure)
    .withMountedDirectory('/tree', tree)
    .withEnvVariable('RUN', platform.arch === host ? 'yes' : 'no')
    .withExec(['sh', '/measure.sh', ...start])
    .stdout()
}

function withScript(root: Container): Container {
  return root.withNewFile('/packings.sh', packings)
}
