import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeTarImage } from '../../pipeline/oci/archive.js'
import { parseArch } from '../../pipeline/platform.js'
import { succeed } from '../command.js'

/** The image of pods and of their sandboxes: one small Go program, compiled here. */
export const podImage = 'localhost/pod:smoke'

/** Compiles pod/main.go and writes it as an OCI archive into the folder; gives the archive's path. */
export async function writePodImage(folder: string): Promise<string> {
  const source = fileURLToPath(new URL('pod', import.meta.url))
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
  const image = { ref: podImage, entrypoint: ['/pod'] }
  await writeTarImage(archive, image, parseArch(process.arch), layer)
  return archive
}
