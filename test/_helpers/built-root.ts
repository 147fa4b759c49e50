import { join } from 'node:path'
import { parseArch } from '../../pipeline/facts/platform.js'
import { type PlatformImage, readArchive } from '../../pipeline/oci/read.js'
import { unpackRoot } from './archive.js'
import { npm } from './command.js'

/**
 * Builds one image for this machine into a folder, by flags of `npm run build`, and unpacks it there; gives its root.
 * Throws what a failed build prints.
 */
export async function buildRoot(
  folder: string,
  archive: string,
  flags: readonly string[],
): Promise<string> {
  const native = ['--arch', parseArch(process.arch), '--output', folder]
  const build = await npm('build', [...flags, ...native])
  if (build.status !== 0) throw new Error(build.stderr)
  const unpacked = join(folder, 'unpacked')
  const [image] = await readArchive(join(folder, archive), unpacked)
  const root = join(folder, 'root')
  await unpackRoot(image as PlatformImage, unpacked, root)
  return root
}
