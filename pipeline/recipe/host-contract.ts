import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { projectFile } from '../facts/project.js'

const hostPath = z.strictObject({
  path: z.string().regex(/^\//),
  /** rshared: what is mounted below it on either side is seen on the other; rslave: what the host mounts is seen inside. */
  propagation: z.enum(['rshared', 'rslave']).optional(),
  readOnly: z.boolean().optional(),
  containers: z.array(z.enum(['kubelet', 'kubeadm'])).min(1),
  /** Only where it runs the pods; absent: always. */
  runtime: z.enum(['containerd', 'dockershim']).optional(),
  /** Whether the recipe makes it where it is missing; others are left out where the host has none. */
  required: z.boolean().optional(),
  why: z.string(),
  without: z.string(),
})

/** A path of the host that containers of a node see under the same name. */
export type HostPath = z.infer<typeof hostPath>

/** What the containers see of the host. The kubelet itself looks by the same table whether it does, before it starts. */
export const hostContract: readonly HostPath[] = z
  .array(hostPath)
  .parse(JSON.parse(readFileSync(projectFile('tools/preflight/host.json'), 'utf8')))

/** The paths of one container. */
export function hostPaths(container: 'kubelet' | 'kubeadm', dockershim: boolean): HostPath[] {
  const runtime = dockershim ? 'dockershim' : 'containerd'
  return hostContract.filter(
    (path) => path.containers.includes(container) && (path.runtime ?? runtime) === runtime,
  )
}

/** The contract as a table in Markdown. */
export function contractTable(): string {
  const rows = hostContract.map((path) => {
    const how = [path.propagation, ...(path.readOnly ? ['read-only'] : [])].filter(Boolean)
    const where = [path.containers.join(', '), ...(path.runtime ? [`${path.runtime} only`] : [])]
    const cells = [`\`${path.path}\``, where.join('; '), how.join(', '), path.why, path.without]
    return `| ${cells.join(' | ')} |`
  })
  return ['| path | seen by | how | why | without it |', '|---|---|---|---|---|', ...rows, ''].join(
    '\n',
  )
}
