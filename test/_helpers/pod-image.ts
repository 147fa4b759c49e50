import { join } from 'node:path'
import { writeTarImage } from '../../pipeline/oci/archive.js'
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
  const archive = join(folder, 'pod.oci.tar')
  const image = { ref: podImage, entrypoint: ['/pod', 'pause'] }
  await writeTarImage(archive, image, parseArch(process.arch), layer)
  return archive
}
