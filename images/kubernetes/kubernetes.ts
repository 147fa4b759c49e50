import type { Container, Directory } from '@dagger.io/dagger'
import type { Builder } from '../../pipeline/graph/debian.js'
import { goBuilder, withZig, zig } from '../../pipeline/graph/toolchain.js'
import type { ProgramSpec } from '../../pipeline/plan.js'
import type { Platform } from '../../pipeline/platform.js'
import type { SourceFacts } from '../../pipeline/variants.js'
import { imageFile } from '../files.js'

/** One program of Kubernetes, cross-compiled, as a tree that mirrors /. Lazy. */
export function kubernetesProgram(
  builder: Builder,
  sources: SourceFacts,
  program: ProgramSpec,
  platform: Platform,
): Directory {
  return compiler(builder, sources, program, platform).withExec(compile).directory('/out')
}

/** The command that compiles in a `compiler`. */
export const compile = ['sh', '/compile.sh']

/** A container that is ready to compile one program of Kubernetes. Lazy. */
export function compiler(
  builder: Builder,
  sources: SourceFacts,
  program: ProgramSpec,
  platform: Platform,
): Container {
  let go = goBuilder(builder, program.go)
    .withEnvVariable('GOOS', 'linux')
    .withEnvVariable('GOARCH', platform.arch)
    .withEnvVariable('KUBERNETES', program.kubernetes)
    .withEnvVariable('COMMIT', program.commit ?? '')
    .withEnvVariable('PACKAGE', program.package)
    .withEnvVariable('TAGS', program.tags.join(','))
    .withEnvVariable('OUT', '/out')
  if (platform.goarm !== undefined) go = go.withEnvVariable('GOARM', platform.goarm)
  if (program.cgo) {
    go = withZig(builder, go, sources).withEnvVariable('CC', `${zig} cc -target ${platform.musl}`)
  }
  return go.withMountedFile('/compile.sh', imageFile(builder.client, 'kubernetes/compile.sh'))
}
