import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { type Arch, platformOf } from '../facts/platform.js'
import { buildGoTool } from '../host/go-tool.js'
import { succeed } from '../host/process.js'
import { writeTarImage } from '../oci/write.js'

/** The image of pods and of their sandboxes: one small Go program, compiled here for the nodes' architecture. */
export const podImage = 'localhost/pod:smoke'

/** Compiles tools/smoke-pod and writes it as an OCI archive into the folder; gives the archive's path. */
export async function writePodImage(folder: string, arch: Arch): Promise<string> {
  const root = join(folder, 'root')
  await mkdir(root)
  await rename(await buildGoTool('smoke-pod', folder, platformOf(arch)), join(root, 'pod'))
  const layer = join(folder, 'pod.layer')
  await succeed('tar', ['--create', `--file=${layer}`, `--directory=${root}`, 'pod'])
  const archive = join(folder, 'pod.oci.tar')
  const image = { ref: podImage, entrypoint: ['/pod'] }
  await writeTarImage(archive, image, arch, layer)
  return archive
}
