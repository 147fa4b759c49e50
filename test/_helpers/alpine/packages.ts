import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type Entry, type Fields, makePackage, type Package } from './apk.js'

// The kernel: half of the disk, and nothing for a container.
const left = ['linux-virt']

/** The packages that are installed in an Alpine root, made again from its files. */
export async function repackInstalled(root: string): Promise<Package[]> {
  const database = await readFile(join(root, 'lib/apk/db/installed'), 'utf8')
  const packages: Package[] = []
  for (const block of database.split('\n\n').filter(Boolean)) {
    const { fields, paths } = parseBlock(block)
    if (left.includes(fields.P as string)) continue
    const entries = await Promise.all(paths.map((path) => readEntry(root, path)))
    packages.push(
      await makePackage(
        fields,
        entries.filter((entry) => entry !== undefined),
      ),
    )
  }
  return packages
}

interface Path {
  name: string
  /** As the package wants it. */
  mode: number
}

/** A package in apk's list of what is installed. https://wiki.alpinelinux.org/wiki/Apk_spec */
function parseBlock(block: string): { fields: Fields; paths: Path[] } {
  const fields: Record<string, string> = {}
  const paths: Path[] = []
  let folder = ''
  for (const line of block.split('\n')) {
    const [letter, value] = [line[0] as string, line.slice(2)]
    if (letter === 'F') {
      folder = value
      if (folder !== '') paths.push({ name: folder, mode: 0o755 })
    } else if (letter === 'R') paths.push({ name: join(folder, value), mode: 0o644 })
    else if (letter === 'M' || letter === 'a') {
      const last = paths.at(-1) as Path
      last.mode = Number.parseInt(value.split(':')[2] as string, 8)
    } else if (/[PVATULomtcDprikI]/.test(letter)) fields[letter] = value
  }
  return { fields, paths }
}

async function readEntry(root: string, { name, mode }: Path): Promise<Entry | undefined> {
  const path = join(root, name)
  const found = await lstat(path).catch(() => undefined)
  if (found?.isDirectory()) return { name, mode, type: 'directory' }
  if (found?.isSymbolicLink()) {
    return { name, mode: 0o777, type: 'symlink', target: await readlink(path) }
  }
  if (!found?.isFile()) return undefined
  return { name, mode, type: 'file', content: await readFile(path) }
}

const utilLinux: Record<string, string[]> = {
  blkid: ['sbin/blkid'],
  findmnt: ['usr/bin/findmnt'],
  losetup: ['sbin/losetup'],
  mount: ['bin/mount'],
  umount: ['bin/umount'],
  'util-linux-misc': ['usr/bin/nsenter', 'usr/bin/mountpoint', 'sbin/blockdev'],
}

/** Stand-ins for packages that the disk lacks, made of the programs in a static root of this project. */
export async function packStaticRoot(root: string, arch: string): Promise<Package[]> {
  const fields = (name: string, more: Fields = {}): Fields => {
    return { P: name, V: '0-r0', A: arch, T: 'Made for a test', L: 'GPL-2.0', o: name, ...more }
  }
  // One program for all of them, which asks for its name.
  const program = await readFile(join(root, 'usr/bin/util-linux'))
  const tools = Object.entries(utilLinux).map(([name, paths]) => {
    const files = paths.map((path): Entry => {
      return { name: path, mode: 0o755, type: 'file', content: program }
    })
    return makePackage(fields(name), files)
  })
  const sbin = (await readdir(join(root, 'usr/sbin'))).map((name) => `usr/sbin/${name}`)
  const pick = async (wanted: (path: string) => boolean): Promise<Entry[]> => {
    const found = sbin.filter(wanted).map((name) => readEntry(root, { name, mode: 0o755 }))
    return (await Promise.all(found)).filter((entry) => entry !== undefined)
  }
  return Promise.all([
    ...tools,
    makePackage(fields('iptables'), [
      ...(await pick((path) => /\/(xtables-multi|\w+tables-nft)/.test(path))),
      // As on Alpine the mode is nft; the program here knows only its full name.
      ...['iptables', 'ip6tables'].map((name): Entry => {
        const content = Buffer.from(`#!/bin/sh\nexec ${name}-nft "$@"\n`)
        return { name: `usr/sbin/${name}`, mode: 0o755, type: 'file', content }
      }),
    ]),
    makePackage(
      fields('iptables-legacy', { D: 'iptables' }),
      await pick((path) => path.includes('legacy')),
    ),
    makePackage(fields('conntrack-tools'), await pick((path) => path.endsWith('/conntrack'))),
  ])
}
