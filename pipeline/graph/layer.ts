import { readFileSync } from 'node:fs'
import type { Directory } from '@dagger.io/dagger'
import type { Platform } from '../facts/platform.js'
import type { Compression } from '../plan/spec.js'
import type { Builder } from './builder.js'

const script = readFileSync(new URL('layer.sh', import.meta.url), 'utf8')

/**
 * A directory with the tree as a compressed layer (`layer`) and its facts (`layer.json`, a LayerFacts). Lazy.
 * The step fails unless every program in the tree is built for the platform, static or with its loader in the tree, and stripped
 * (but where `stripped` is false), and every directory has a mode that can be right.
 * It packs instead of the engine, whose compression level is fixed and costs a quarter in size.
 */
export function packLayer(
  { root }: Builder,
  tree: Directory,
  options: { platform: Platform; compression: Compression; stripped?: boolean },
): Directory {
  return root
    .withNewFile('/pack.sh', script)
    .withMountedDirectory('/root', tree)
    .withEnvVariable('COMPRESSION', options.compression)
    .withEnvVariable('ELF', options.platform.elf)
    .withEnvVariable('STRIPPED', options.stripped === false ? 'no' : 'yes')
    .withEnvVariable('OUT', '/out')
    .withExec(['sh', '/pack.sh'])
    .directory('/out')
}
