import type { File } from '@dagger.io/dagger'
import { platformOf } from '../facts/platform.js'
import type { KubernetesComponent } from '../plan/spec.js'
import type { Builder } from './builder.js'
import { imageFiles, toolFiles } from './files.js'
import { kubernetesCompiler } from './kubernetes.js'

/**
 * What a program of Kubernetes can execute, as JSON (a ProgramReport), from the very packages that are compiled into it.
 * Lazy. `program` is one of the component's, whose Go release must be one that also compiles this analysis, whatever compiles the program.
 */
export function programsFile(
  builder: Builder,
  component: KubernetesComponent,
  program: string,
): File {
  const files = imageFiles(builder.client, '.', ['retry.sh', 'kubernetes/shim.sh'])
  // One architecture stands for all: none of the programs starts others on one of them only.
  return kubernetesCompiler(builder, component, platformOf('amd64'))
    .withMountedDirectory('/images', files)
    .withMountedDirectory('/tools', toolFiles(builder.client, 'executables'))
    .withEnvVariable('PROGRAM', program)
    .withEnvVariable('OUT', '/out')
    .withExec(['sh', '/tools/list.sh'])
    .file('/out/programs.json')
}
