import type { File } from '@dagger.io/dagger'
import type { Builder } from '../../pipeline/graph/builder.js'
import type { KubernetesComponent } from '../../pipeline/plan.js'
import { platformOf } from '../../pipeline/platform.js'
import { imageFiles } from '../files.js'
import { kubernetesCompiler } from '../kubernetes/kubernetes.js'

/**
 * What a program of Kubernetes can execute, as JSON (a ProgramReport), from the very packages that are compiled into it.
 * Lazy. `program` is one of the component's, whose Go release must be one that also compiles this analysis, whatever compiles the program.
 */
export function programsFile(
  builder: Builder,
  component: KubernetesComponent,
  program: string,
): File {
  const files = ['retry.sh', 'kubernetes/shim.sh', 'programs/list.sh', 'programs/*.go']
  // One architecture stands for all: none of the programs starts others on one of them only.
  return kubernetesCompiler(builder, component, platformOf('amd64'))
    .withMountedDirectory(
      '/images',
      imageFiles(builder.client, '.', [...files, 'programs/go.mod', 'programs/go.sum']),
    )
    .withEnvVariable('PROGRAM', program)
    .withEnvVariable('OUT', '/out')
    .withExec(['sh', '/images/programs/list.sh'])
    .file('/out/programs.json')
}
