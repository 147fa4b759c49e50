import type { Container, Directory } from '@dagger.io/dagger'
import type { Platform } from '../facts/platform.js'
import type { ComponentSpec, UpstreamComponent } from '../plan/spec.js'
import type { Builder } from './builder.js'
import { imageFiles, toolFiles } from './files.js'
import { kubernetesCompiler } from './kubernetes.js'
import { goBuilder } from './toolchain.js'
import { withPacking } from './upx.js'

/** The file tree of a component, compiled from source and packed as the plan says; it mirrors /. Lazy. */
export function componentTree(
  builder: Builder,
  component: ComponentSpec,
  platform: Platform,
): Directory {
  const tree = compiledTree(builder, component, platform)
  return withPacking(builder, tree, component.packing)
}

/** The file tree of a component as the compiler leaves it. Lazy. */
export function compiledTree(
  builder: Builder,
  component: ComponentSpec,
  platform: Platform,
): Directory {
  return componentCompiler(builder, component, platform)
    .withExec(compileCommand(component))
    .directory('/out')
}

/** The Go modules and toolchain that compiling a component needs, as a module proxy serves them. Lazy. */
export function componentModules(
  builder: Builder,
  component: ComponentSpec,
  platform: Platform,
): Directory {
  // A module cache of its own has nothing else in it. What the shared one has need not be downloaded again.
  const environment =
    'export GOMODCACHE=/modules GOPROXY="file:///go/pkg/mod/cache/download,$(go env GOPROXY)"'
  return componentCompiler(builder, component, platform)
    .withEnvVariable('FETCH_ONLY', 'yes')
    .withExec(['sh', '-c', `${environment}; exec "$@"`, 'sh', ...compileCommand(component)])
    .directory('/modules/cache/download')
    .filter({ exclude: ['sumdb', '**/*.lock', '**/lock'] })
}

/** The command that compiles a component in its `compiler`. */
export function compileCommand({ kind }: ComponentSpec): string[] {
  return ['sh', `/images/${kind}/compile.sh`]
}

/** A container that is ready for `compileCommand`, which writes to /out. Lazy. */
export function componentCompiler(
  builder: Builder,
  component: ComponentSpec,
  platform: Platform,
): Container {
  const files = imageFiles(builder.client, '.', [
    'retry.sh',
    `${component.kind}/*.sh`,
    ...(component.kind === 'conformance' ? ['kubernetes/shim.sh'] : []),
  ])
  return compiler(builder, component, platform)
    .withMountedDirectory('/images', files)
    .with((container) =>
      component.kind === 'kubernetes'
        ? container.withMountedDirectory('/preflight', toolFiles(builder.client, 'preflight'))
        : container,
    )
    .withEnvVariable('OUT', '/out')
}

function compiler(builder: Builder, component: ComponentSpec, platform: Platform): Container {
  switch (component.kind) {
    case 'kubernetes':
      return kubernetesCompiler(builder, component, platform)
    case 'cni':
      return goBuilder(builder, component.go, platform)
        .withEnvVariable('CNI', component.version)
        .withEnvVariable('FLANNEL', component.flannel)
        .withEnvVariable('PLUGINS', component.plugins.join(' '))
    case 'crictl':
      return goBuilder(builder, component.go, platform).withEnvVariable('CRICTL', component.version)
    case 'conformance':
      return goBuilder(builder, component.go, platform).withEnvVariable(
        'KUBERNETES',
        component.kubernetes,
      )
    case 'upstream':
      return upstreamCompiler(builder, component, platform)
  }
}

function upstreamCompiler(
  builder: Builder,
  component: UpstreamComponent,
  platform: Platform,
): Container {
  const { module, version, programs, directory, stamp, without, files } = component
  const named = Object.entries(programs).map(([name, path]) => `${name}=${path}`)
  return goBuilder(builder, component.go, platform)
    .withEnvVariable('MODULE', module)
    .withEnvVariable('VERSION', version)
    .withEnvVariable('PROGRAMS', named.join(' '))
    .withEnvVariable('DIRECTORY', directory)
    .withEnvVariable('STAMP', stamp ?? '')
    .withEnvVariable('WITHOUT', without ? `${without.file}:${without.lines}` : '')
    .withEnvVariable('FILES', files?.join(' ') ?? '')
}
