import { createHash, sign } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import tar from 'tar-stream'

/** A file, link or directory of a package; names have no slash at their start. */
export type Entry = { name: string; mode: number } & (
  | { type: 'directory' }
  | { type: 'file'; content: Buffer }
  | { type: 'symlink'; target: string }
)

/** What a package says of itself, by the letters of Alpine's index: P name, V version, D dependencies, … */
export type Fields = Readonly<Record<string, string>>

export interface Package {
  fields: Fields
  /** Compressed part with .PKGINFO. */
  control: Buffer
  /** Compressed part with the files. */
  data: Buffer
}

// Names in .PKGINFO of the index's letters; those with `many` are lists.
const names: Record<string, { key: string; many?: true }> = {
  P: { key: 'pkgname' },
  V: { key: 'pkgver' },
  T: { key: 'pkgdesc' },
  U: { key: 'url' },
  t: { key: 'builddate' },
  I: { key: 'size' },
  A: { key: 'arch' },
  o: { key: 'origin' },
  c: { key: 'commit' },
  m: { key: 'maintainer' },
  L: { key: 'license' },
  k: { key: 'provider_priority' },
  r: { key: 'replaces', many: true },
  D: { key: 'depend', many: true },
  p: { key: 'provides', many: true },
  i: { key: 'install_if', many: true },
}

/** A package in the format of apk-tools 2, which Alpine's mirrors have. https://wiki.alpinelinux.org/wiki/Apk_spec */
export async function makePackage(fields: Fields, entries: readonly Entry[]): Promise<Package> {
  const pack = tar.pack()
  for (const entry of entries) {
    const header = { name: entry.name, mode: entry.mode, mtime: new Date(0), uid: 0, gid: 0 }
    if (entry.type === 'file') {
      const sha1 = createHash('sha1').update(entry.content).digest('hex')
      // The types of tar-stream do not know this field.
      const pax = { pax: { 'APK-TOOLS.checksum.SHA1': sha1 } }
      pack.entry({ ...header, ...pax }, entry.content)
    } else if (entry.type === 'symlink') {
      pack.entry({ ...header, type: 'symlink', linkname: entry.target })
    } else pack.entry({ ...header, type: 'directory' })
  }
  pack.finalize()
  const data = gzipSync(await collect(pack))
  const lines = Object.entries(fields).flatMap(([letter, value]) => {
    const name = names[letter]
    if (name === undefined) return []
    return (name.many ? value.split(' ') : [value]).map((text) => `${name.key} = ${text}`)
  })
  const datahash = createHash('sha256').update(data).digest('hex')
  const info = [...lines, `datahash = ${datahash}`, ''].join('\n')
  return { fields, control: await segment({ '.PKGINFO': info }), data }
}

/** The file of a package. */
export function packageFile({ control, data }: Package): Buffer {
  return Buffer.concat([control, data])
}

/** The file name of a package on a mirror. */
export function fileName({ fields }: Package): string {
  return `${fields.P}-${fields.V}.apk`
}

/** An APKINDEX.tar.gz of packages, signed with a private key in PEM format under the name of its public key. */
export async function makeIndex(
  packages: readonly Package[],
  key: { name: string; privateKey: string },
): Promise<Buffer> {
  const blocks = packages.map((one) => {
    const checksum = createHash('sha1').update(one.control).digest('base64')
    const lines = Object.entries(one.fields).map(([letter, value]) => `${letter}:${value}`)
    return [`C:Q1${checksum}`, ...lines, `S:${packageFile(one).length}`, ''].join('\n')
  })
  const index = await segment({ DESCRIPTION: 'test', APKINDEX: `${blocks.join('\n')}\n` }, true)
  const signature = sign('RSA-SHA256', index, key.privateKey)
  return Buffer.concat([await segment({ [`.SIGN.RSA256.${key.name}`]: signature }), index])
}

/** A compressed tar; only the last of several that follow each other has an end. */
async function segment(files: Record<string, string | Buffer>, last = false): Promise<Buffer> {
  const pack = tar.pack()
  for (const [name, content] of Object.entries(files)) {
    pack.entry({ name, mtime: new Date(0) }, content)
  }
  pack.finalize()
  const whole = await collect(pack)
  return gzipSync(last ? whole : whole.subarray(0, -1024))
}

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}
