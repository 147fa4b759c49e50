import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { type PlatformImage, unpackLayer } from '../../pipeline/oci/read.js'

export { blobFile, type PlatformImage, readArchive } from '../../pipeline/oci/read.js'

/** Unpacks the layers of an image over each other, as a runtime would. */
export async function unpackRoot(
  image: PlatformImage,
  folder: string,
  root: string,
): Promise<void> {
  for (const layer of image.layers) await unpackLayer(layer, folder, root)
}

const path = ['usr/local/sbin', 'usr/local/bin', 'usr/sbin', 'usr/bin', 'sbin', 'bin']

/** Where an unpacked root has a program, by its path or in PATH. Links in roots of this project are relative. */
export function findProgram(root: string, program: string): string | undefined {
  const candidates = program.startsWith('/')
    ? [join(root, program)]
    : path.map((folder) => join(root, folder, program))
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
