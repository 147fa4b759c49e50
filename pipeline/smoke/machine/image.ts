import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { copyFile, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Arch, platformOf } from '../../facts/platform.js'
import type { Facts } from '../../facts/schema.js'
import { withLock } from '../../host/lock.js'
import { cacheDirectory } from '../../host/paths.js'
import { succeed } from '../../host/process.js'
import { line, step } from '../../host/progress.js'
import { temporaryDirectory } from '../../host/temporary.js'
import { requirePrograms } from '../../host/tools.js'
import { fetchInputs } from '../../inputs/fetch.js'
import { filesFor, type LockedFile, loadLock, purposes } from '../../inputs/lock.js'
import { storedPath } from '../../inputs/store.js'
import { isForeign } from './hardware.js'

/** What virtual machines start from. */
export interface MachineImage {
  /** File system of the root, raw; machines write to a copy of their own. */
  root: string
  kernel: string
  initrd: string
  /** Private key that root is let in with. */
  key: string
}

const directory = join(cacheDirectory, 'machine')
const [prepareScript, emulateScript] = ['prepare.sh', 'emulate.sh'].map((name) =>
  fileURLToPath(new URL(name, import.meta.url)),
) as [string, string]

/** A root of the locked packages, with systemd and a kernel of its own; made once and kept in the cache. Throws a BuildError. */
export async function machineImage(
  { sources }: Facts,
  os: string,
  arch: Arch,
): Promise<MachineImage> {
  const packages = filesFor(loadLock(), [purposes.machine(os, arch)])
  const key = createHash('sha256')
    .update(packages.map(({ sha256 }) => sha256).join())
    .update(readFileSync(prepareScript))
    .digest('hex')
    .slice(0, 16)
  const folder = join(directory, `${os}-${arch}-${key}`)
  await withLock(join(directory, 'lock'), async () => {
    if (existsSync(folder)) return
    await requirePrograms({
      'dpkg-scanpackages': 'dpkg-dev',
      'mkfs.ext4': 'e2fsprogs',
      mmdebstrap: 'mmdebstrap',
      'ssh-keygen': 'openssh-client',
      ...(isForeign(arch) && {
        'arch-test': 'arch-test',
        [userEmulator(arch)]: 'qemu-user-static',
      }),
    })
    await fetchInputs(packages, { sources, say: line })
    for (const name of await readdir(directory)) {
      if (name.startsWith(`${os}-${arch}-`)) await rm(join(directory, name), { recursive: true })
    }
    const partial = `${folder}.partial`
    await mkdir(partial, { recursive: true })
    const { suite } = sources.debian.machine.systems[os] as { suite: string }
    await step(`${os} ${arch}: the root of a machine, of ${packages.length} packages (once)`, () =>
      makeRoot(packages, { suite, arch }, partial),
    )
    await rename(partial, folder)
  })
  const file = (name: string) => join(folder, name)
  return { root: file('root'), kernel: file('kernel'), initrd: file('initrd'), key: file('key') }
}

async function makeRoot(
  packages: readonly LockedFile[],
  { suite, arch }: { suite: string; arch: Arch },
  folder: string,
): Promise<void> {
  const work = temporaryDirectory('machine')
  const repository = join(work, 'packages')
  await mkdir(repository)
  for (const file of packages) {
    await symlink(storedPath(file), join(repository, basename(file.path)))
  }
  const index = await succeed('dpkg-scanpackages', ['--multiversion', '.'], { cwd: repository })
  await writeFile(join(repository, 'Packages'), index)
  const key = join(folder, 'key')
  await succeed('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'smoke', '-f', key])
  const root = join(work, 'root')
  const names = packages.map(({ package: name }) => name).join(',')
  // Every package is checked by the lock; the index of them is made here.
  const flags = [
    ...['--mode=root', '--variant=custom', '--skip=download/empty', `--include=${names}`],
    `--architectures=${platformOf(arch).debian}`,
  ]
  const hook = `--customize-hook=KEY=${key} sh ${prepareScript} "$1"`
  // As the installer has it, and Debian 13 by itself.
  const merged = '--hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr'
  const place = `deb [trusted=yes] copy:${repository} ./`
  const command = ['mmdebstrap', ...flags, merged, hook, suite, root, place]
  const rule = `/usr/lib/binfmt.d/qemu-${platformOf(arch).qemu}.conf`
  const emulated = isForeign(arch) ? ['sh', emulateScript, rule] : []
  await succeed('unshare', ['--mount', ...emulated, ...command])
  const boot = join(root, 'boot')
  const files = await readdir(boot)
  for (const [name, start] of [
    ['kernel', 'vmlinuz-'],
    ['initrd', 'initrd.img-'],
  ] as const) {
    const file = files.find((one) => one.startsWith(start)) as string
    await copyFile(join(boot, file), join(folder, name))
  }
  await makeDisk(join(folder, 'root'), '12G', root)
}

/** qemu's emulator of programs, which this machine's kernel starts those of another architecture by. */
function userEmulator(arch: Arch): string {
  return `qemu-${platformOf(arch).qemu}-static`
}

/** Makes a file system of this size, which takes no more room than its files. */
export async function makeDisk(file: string, size: string, folder: string): Promise<void> {
  await succeed('truncate', [`--size=${size}`, file])
  await succeed('mkfs.ext4', ['-q', '-d', folder, file])
}
