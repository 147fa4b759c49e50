import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { BuildError } from '../facts/errors.js'
import { start } from '../host/process.js'

const block = 512

/**
 * Writes the contents of Debian packages, one after the other, as one tar archive: a root file system without having installed anything.
 * The same packages give the same bytes. Needs xz. Throws a BuildError for a file that is no package.
 */
export async function writeLayer(packages: readonly string[], layer: string): Promise<void> {
  const out = createWriteStream(layer)
  const failed = new Promise<never>((_, reject) => out.once('error', reject))
  failed.catch(() => {})
  const write = (data: Buffer) =>
    Promise.race([
      failed,
      new Promise<void>((done) => (out.write(data) ? done() : out.once('drain', done))),
    ])
  const trees: Promise<Buffer>[] = []
  const ahead = 3
  for (let i = 0; i < packages.length; i++) {
    // Several are unpacked at once, and written in order.
    while (trees.length < Math.min(packages.length, i + ahead)) {
      const next = contents(packages[trees.length] as string)
      next.catch(() => {})
      trees.push(next)
    }
    const tree = await (trees[i] as Promise<Buffer>)
    trees[i] = Promise.resolve(Buffer.alloc(0))
    await write(tree.subarray(0, endOf(tree)))
  }
  await write(links())
  // Two empty blocks end an archive.
  await write(Buffer.alloc(2 * block))
  await Promise.race([failed, new Promise<void>((done) => out.end(done))])
}

/** The tar archive in a package. https://manpages.debian.org/deb.5 */
async function contents(file: string): Promise<Buffer> {
  const deb = await readFile(file)
  if (deb.subarray(0, 8).toString('latin1') !== '!<arch>\n') {
    throw new BuildError(`${file} is no Debian package`)
  }
  for (let at = 8; at + 60 <= deb.length; ) {
    const name = deb
      .subarray(at, at + 16)
      .toString('latin1')
      .trim()
    const size = Number(deb.subarray(at + 48, at + 58).toString('latin1'))
    const member = deb.subarray(at + 60, at + 60 + size)
    if (name === 'data.tar.xz') return unxz(member, basename(file))
    if (name === 'data.tar.gz') return promisify(gunzip)(member)
    at += 60 + size + (size % 2)
  }
  throw new BuildError(`${file} has no data.tar.xz`)
}

function unxz(data: Buffer, name: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const xz = start('xz', ['--decompress', '--stdout'], { stdio: ['pipe', 'pipe', 'inherit'] })
    const chunks: Buffer[] = []
    xz.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk))
    xz.stdin?.on('error', () => {})
    xz.once('error', reject)
    xz.once('close', (status) => {
      if (status === 0) resolve(Buffer.concat(chunks))
      else reject(new BuildError(`xz could not unpack ${name}`))
    })
    xz.stdin?.end(data)
  })
}

/** Where the entries of a tar archive end. Trailing blocks of zeros may also be the end of a file in it. */
function endOf(tree: Buffer): number {
  let at = 0
  while (at + block <= tree.length && tree[at] !== 0) {
    const size = Number.parseInt(tree.subarray(at + 124, at + 136).toString('latin1'), 8) || 0
    at += block * (1 + Math.ceil(size / block))
  }
  return at
}

/** Names that Debian gives out when a package is installed. */
function links(): Buffer {
  const entry = (name: string, target: string) => {
    const header = Buffer.alloc(block)
    const field = (at: number, text: string) => header.write(text, at, 'latin1')
    field(0, name)
    field(100, '0000777\0')
    field(108, '0000000\0')
    field(116, '0000000\0')
    field(124, '00000000000\0')
    field(136, '00000000000\0')
    field(148, '        ')
    field(156, '2')
    field(157, target)
    field(257, 'ustar\0' + '00')
    const sum = header.reduce((total, byte) => total + byte, 0)
    field(148, `${sum.toString(8).padStart(6, '0')}\0 `)
    return header
  }
  return Buffer.concat([entry('./usr/bin/awk', 'mawk'), entry('./usr/bin/cc', 'gcc')])
}
