import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { writeArchive } from '../../pipeline/oci/archive.js'
import { layoutImage } from '../../pipeline/oci/layout.js'
import { parseArch } from '../../pipeline/platform.js'
import { project, succeed } from './command.js'

/** The image of the test's pods and of their sandboxes: one small Go program. */
export const podImage = 'localhost/pod:test'

/** Compiles test/fixtures/pod and writes it as an OCI archive. */
export async function writePodImage(folder: string): Promise<string> {
  const source = join(project, 'test/fixtures/pod')
  const env = { CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' }
  await succeed('go', ['build', '-trimpath', '-o', join(folder, 'root/pod'), '.'], {
    cwd: source,
    env,
  })
  const layer = join(folder, 'pod.layer')
  await succeed('tar', [
    '--create',
    `--file=${layer}`,
    `--directory=${join(folder, 'root')}`,
    'pod',
  ])
  const digest = `sha256:${createHash('sha256')
    .update(await readFile(layer))
    .digest('hex')}`
  const { size } = await stat(layer)
  const layout = layoutImage(
    { ref: podImage, entrypoint: ['/pod', 'pause'], labels: {}, compression: 'none' },
    new Map([[parseArch(process.arch), [{ diffId: digest, digest, size, extracted: size }]]]),
  )
  const archive = join(folder, 'pod.oci.tar')
  await writeArchive(archive, layout, new Map([[digest, layer]]))
  return archive
}
