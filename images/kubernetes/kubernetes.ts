import type { Container, Directory } from '@dagger.io/dagger'
import type { Builder } from '../../pipeline/graph/debian.js'
import { goBuilder, withZig, zig } from '../../pipeline/graph/toolchain.js'
import type { ComponentSpec } from '../../pipeline/plan.js'
import type { Platform } from '../../pipeline/platform.js'
import type { SourceFacts } from '../../pipeline/variants.js'
import { imageFile } from '../files.js'

/** Programs of Kubernetes, cross-compiled, as a tree that mirrors /. Lazy. */
export function kubernetesPrograms(
  builder: Builder,
  sources: SourceFacts,
  component: ComponentSpec,
  platform: Platform,
): Directory {
  return compiler(builder, sources, component, platform).withExec(compile).directory('/out')
}

/** The command that compiles in a `compiler`. */
export const compile = ['sh', '/compile.sh']

/** A container that is ready to compile programs of Kubernetes. Lazy. */
export function compiler(
  builder: Builder,
  sources: SourceFacts,
  component: ComponentSpec,
  platform: Platform,
): Container {
  let go = goBuilder(builder, component.go)
    .withEnvVariable('GOOS', 'linux')
    .withEnvVariable('GOARCH', platform.arch)
    .withEnvVariable('KUBERNETES', component.kubernetes)
    .withEnvVariable('COMMIT', component.commit ?? '')
    .withEnvVariable('PROGRAMS', component.programs.join(' '))
    .withEnvVariable('TAGS', component.tags.join(','))
    .withEnvVariable('OUT', '/out')
  if (platform.goarm !== undefined) go = go.withEnvVariable('GOARM', platform.goarm)
  if (component.cgo) {
    go = withZig(builder, go, sources).withEnvVariable('CC', `${zig} cc -target ${platform.musl}`)
  }
  return go.withMountedFile('/compile.sh', imageFile(builder.client, 'kubernetes/compile.sh'))
}
