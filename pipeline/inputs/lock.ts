import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { UserError } from '../facts/errors.js'
import { type Arch, allArches } from '../facts/platform.js'
import { projectFile } from '../facts/project.js'
import type { Facts } from '../facts/schema.js'

/** The lock of this checkout. */
export const lockFile = projectFile('inputs.lock.json')

const word = z.string().regex(/^\S+$/, 'is empty or has blanks')
const path = z
  .string()
  .regex(
    /^(?!.*\.\.)[\w+~:%-][\w.+~:%-]*(\/[\w+~:%-][\w.+~:%-]*)*$/,
    'is not a path below the archive',
  )
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'is not a SHA-256 in hexadecimal')
const stamp = z.string().regex(/^\d{8}T\d{6}Z$/, 'is not a time such as 20261125T000000Z')

/**
 * A file from outside that enters an image or compiles it. What go.sum, Go's checksum database and package-lock.json check is not
 * locked again.
 */
const lockedFile = z.strictObject({
  /** Archive that holds it: a key of `sources.places` in variants.json. */
  archive: z.enum(['debian', 'debian-security', 'pypi']),
  /** Below the archive. */
  path,
  /** Bytes. */
  size: z.number().int().positive(),
  sha256,
  /** Name of the package: of a source package for sources. */
  package: word,
  version: word,
  /** Debian's name of an architecture, `all` or `source`. */
  architecture: word,
  /** Source package that it was built from and its version. */
  source: z.string().regex(/^\S+ \S+$/, 'is not a source package and its version'),
  /** When it was locked, UTC: a dated snapshot of the archive has it. */
  locked: stamp,
  /** What needs it, see `purposes`. */
  for: z.array(word).min(1),
  /** Of a source: that the archive does not serve Debian's patches of it, so that upstream's source is built as it is. */
  patches: z.literal('not served').optional(),
  /** Taken from an index that no signature covered; the next update from a signed one confirms it. */
  unconfirmed: z.literal(true).optional(),
})

const lock = z.strictObject({
  /** When the lock was last made from the archives' indexes, UTC. */
  made: stamp,
  /** How many files each purpose has: one that is missing would show only in the middle of a build. */
  counts: z.record(word, z.number().int().positive()),
  files: z.array(lockedFile).min(1),
})

export type LockedFile = z.infer<typeof lockedFile>
export type Lock = Omit<z.infer<typeof lock>, 'counts'>

/** Names of what locked files are for. */
export const purposes = {
  /** The root that every step runs in, on a machine of this architecture. */
  builder: (host: Arch) => `builder/${host}`,
  /** The cross compiler of C, beside that root. */
  compiler: (host: Arch, target: Arch) => `compiler/${host}/${target}`,
  /** Headers and libraries of a target. */
  target: (target: Arch) => `target/${target}`,
  /** A Debian source package, as variants.json names it. */
  source: (name: string) => `source/${name}`,
  /** The C compiler of programs with cgo. */
  zig: (host: Arch) => `zig/${host}`,
  /** Programs in the images of Kubernetes' tests. */
  conformance: (host: Arch) => `conformance/${host}`,
  /** The virtual machine of the smoke test, by its operating system and architecture. */
  machine: (os: string, arch: Arch) => `machine/${os}/${arch}`,
}

/** What a lock may hold files for: every purpose of every architecture. */
export function everyPurpose(
  sources: readonly string[],
  systems: Facts['sources']['debian']['machine']['systems'],
): string[] {
  return [
    ...allArches.map(purposes.target),
    ...buildHosts.flatMap((host) => [
      purposes.builder(host),
      purposes.zig(host),
      purposes.conformance(host),
      ...allArches
        .filter((target) => target !== host)
        .map((target) => purposes.compiler(host, target)),
    ]),
    ...Object.entries(systems).flatMap(([os, { arches }]) =>
      arches.map((arch) => purposes.machine(os, arch)),
    ),
    ...sources.map(purposes.source),
  ]
}

/** Architectures of machines that can build. */
export const buildHosts: readonly Arch[] = ['amd64', 'arm64']

/** The checkout's lock. Throws a UserError that names the first fault. */
export function loadLock(file: URL | string = lockFile): Lock {
  return parseLock(readLock(file))
}

/** What tells one lock from another: the SHA-256 of the file. */
export function lockHash(file: URL | string = lockFile): string {
  return createHash('sha256').update(readLock(file)).digest('hex')
}

/** Whole days from when a lock was made to another time. */
export function lockAge({ made }: Pick<Lock, 'made'>, now: Date): number {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(made) ?? []
  const [year = 0, month = 0, ...rest] = parts.map(Number)
  return Math.floor((now.getTime() - Date.UTC(year, month - 1, ...rest)) / 86_400_000)
}

function readLock(file: URL | string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UserError('inputs.lock.json cannot be read: restore it from git', { cause: error })
  }
}

/** Reads and checks a lock. Throws a UserError that names the first fault. */
export function parseLock(text: string): Lock {
  const fault = (what: string) =>
    new UserError(
      `inputs.lock.json: ${what}: restore it from git, or run npm run update -- --inputs`,
    )
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw fault('it is not JSON')
  }
  const parsed = lock.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    const at = issue?.path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    throw fault(`$${at?.join('')} ${issue?.message}`)
  }
  const seen = new Set<string>()
  for (const { archive, path } of parsed.data.files) {
    const key = `${archive}/${path}`
    if (seen.has(key)) throw fault(`${key} is there twice`)
    seen.add(key)
  }
  const { made, counts, files } = parsed.data
  const found = countFiles(files)
  for (const purpose of new Set([...Object.keys(counts), ...Object.keys(found)])) {
    const [has = 0, wanted = 0] = [found[purpose], counts[purpose]]
    if (has !== wanted) throw fault(`${purpose} has ${has} files, and ${wanted} are counted`)
  }
  return { made, files }
}

/** The number of files of each purpose, sorted by purpose. */
function countFiles(files: readonly LockedFile[]): Record<string, number> {
  const counts = new Map<string, number>()
  for (const purpose of files.flatMap((file) => file.for).sort()) {
    counts.set(purpose, (counts.get(purpose) ?? 0) + 1)
  }
  return Object.fromEntries(counts)
}

/** A lock as it is written: sorted, and one line a file. */
export function printLock({ made, files }: Lock): string {
  const key = ({ archive, path }: LockedFile) => `${archive}/${path}`
  const sorted = [...files].sort((a, b) => (key(a) < key(b) ? -1 : 1))
  const lines = sorted.map((file) => `    ${JSON.stringify(file)}`)
  const counts = Object.entries(countFiles(files)).map(
    ([purpose, count]) => `    ${JSON.stringify(purpose)}: ${count}`,
  )
  const parts = [
    `  "made": "${made}"`,
    `  "counts": {\n${counts.join(',\n')}\n  }`,
    `  "files": [\n${lines.join(',\n')}\n  ]`,
  ]
  return `{\n${parts.join(',\n')}\n}\n`
}

/**
 * The files for some purposes, each once. Throws a UserError where the lock has nothing for one of them.
 */
export function filesFor({ files }: Lock, wanted: readonly string[]): LockedFile[] {
  const missing = wanted.find((purpose) => !files.some((file) => file.for.includes(purpose)))
  if (missing !== undefined) {
    throw new UserError(
      `inputs.lock.json has no file for ${missing}: restore it from git, or run npm run update -- --inputs`,
    )
  }
  return files.filter((file) => file.for.some((purpose) => wanted.includes(purpose)))
}

/** A locked file in one phrase for messages: `libc6 2.41-12 (amd64)`. */
export function describeFile({ package: name, version, architecture }: LockedFile): string {
  return `${name} ${version} (${architecture})`
}
