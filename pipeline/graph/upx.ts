import type { Directory } from '@dagger.io/dagger'
import { type Builder, withPackages } from './debian.js'

/** The tree with its programs compressed by UPX, which unpack themselves into memory when they start. Lazy. */
export function withUpx({ root }: Builder, tree: Directory): Directory {
  // Links stay links; without --lzma the best level would take minutes a program and be larger.
  const script = "find /tree -type f -perm /111 -exec upx --quiet --best --lzma '{}' +"
  return withPackages(root, ['upx-ucl'])
    .withDirectory('/tree', tree)
    .withExec(['sh', '-euc', script])
    .directory('/tree')
}
