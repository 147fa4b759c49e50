import type { Container } from '@dagger.io/dagger'
import type { Platform } from '../facts/platform.js'
import type { KubernetesComponent } from '../plan/spec.js'
import type { Builder } from './builder.js'
import { goBuilder, withZig, zig } from './toolchain.js'

/** A container that is ready to cross-compile programs of Kubernetes. Lazy. */
export function kubernetesCompiler(
  builder: Builder,
  component: KubernetesComponent,
  platform: Platform,
): Container {
  const go = goBuilder(builder, component.go, platform)
    .withEnvVariable('KUBERNETES', component.kubernetes)
    .withEnvVariable('COMMIT', component.commit ?? '')
    .withEnvVariable('PROGRAMS', component.programs.join(' '))
    .withEnvVariable('DIRECTORY', component.directory)
    .withEnvVariable('TAGS', component.tags.join(','))
    .withEnvVariable('LINKER', component.linker)
    .withEnvVariable('GCFLAGS', component.gcflags.join(' '))
  if (!component.cgo) return go
  // As one word: Go below 1.18 calls the first word of CC alone.
  const script = `#!/bin/sh\nexec ${zig} cc -target ${platform.musl} "$@"\n`
  return withZig(builder, go)
    .withNewFile('/usr/local/bin/zig-cc', script, { permissions: 0o755 })
    .withEnvVariable('CC', '/usr/local/bin/zig-cc')
}

/** When a release was made, as RFC 3339: the time of its commit, as the Go module proxy tells it. */
export async function releaseTime(
  builder: Builder,
  { go, kubernetes }: KubernetesComponent,
  platform: Platform,
): Promise<string> {
  const format = '{{.Time.Format "2006-01-02T15:04:05Z07:00"}}'
  const ask = `go list -m -f '${format}' k8s.io/kubernetes@${kubernetes}`
  const script = `for pause in 2 5 15; do ${ask} && exit; sleep $pause; done; ${ask}`
  return (await goBuilder(builder, go, platform).withExec(['sh', '-c', script]).stdout()).trim()
}
