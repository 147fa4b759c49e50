import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { BuildError, messageOf } from '../facts/errors.js'
import { type Arch, allArches, platformOf } from '../facts/platform.js'
import { sourcesOf } from '../facts/published.js'
import type { Facts } from '../facts/schema.js'
import { redact } from '../host/http.js'
import { temporaryDirectory } from '../host/temporary.js'
import { requirePrograms } from '../host/tools.js'
import { Apt, type IndexedFile, keyring, type Suite } from './apt.js'
import { fetchInputs } from './fetch.js'
import {
  buildHosts,
  describeFile,
  everyPurpose,
  type Lock,
  type LockedFile,
  purposes,
} from './lock.js'
import { zigWheels } from './zig.js'

/** A new lock, and what is to be told of it. */
export interface NewLock {
  lock: Lock
  /** A line for each package that changed: name, versions, and whether the security archive has the new one. */
  changes: string[]
  /** What could not be made anew, and why. */
  warnings: string[]
}

type Candidate = Omit<LockedFile, 'for' | 'locked'> & { purpose: string; security: boolean }

/**
 * Makes the lock from today's indexes. What the index of an architecture is out of step for, or what cannot be fetched, keeps the files of
 * the earlier lock. Every new file is fetched, so that the lock names none that cannot be had. Throws a BuildError.
 */
export async function makeLock(
  facts: Facts,
  earlier: Lock | undefined,
  say: (text: string) => void,
): Promise<NewLock> {
  await requirePrograms({
    'apt-get': 'apt',
    gpgv: 'gpgv',
    xz: 'xz-utils',
  })
  if (!existsSync(keyring)) {
    throw new BuildError(
      `missing on this machine: ${keyring}. Install the package debian-archive-keyring, and try again.`,
    )
  }
  const now = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
  const warnings: string[] = []
  const groups = new Map<string, Candidate[]>()
  for (const arch of allArches) {
    say(`reading Debian's indexes for ${platformOf(arch).debian}`)
    const known = { earlier, purpose: purposes.target(arch) }
    const apt = await openApt(suitesOf(facts, process.env), arch, known, warnings)
    if (apt) groups.set(arch, await filesOfArch(apt, facts, arch))
    // Sources are the same for every architecture.
    if (apt?.signed && !groups.has('sources'))
      groups.set('sources', await filesOfSources(apt, facts))
  }
  for (const [os, { arches }] of Object.entries(facts.sources.debian.machine.systems)) {
    for (const arch of arches) {
      const purpose = purposes.machine(os, arch)
      say(`reading Debian's indexes for ${purpose}`)
      const files = await filesOfMachine(facts, os, arch, { earlier, purpose }, warnings)
      if (files) groups.set(purpose, files)
    }
  }
  groups.set(
    'zig',
    (await zigWheels(facts.sources)).map((file) => ({ ...file, security: false })),
  )
  const files: Candidate[] = []
  for (const [group, candidates] of groups) {
    try {
      files.push(...(await served(candidates, facts, now, say)))
    } catch (error) {
      warnings.push(`${group}: ${messageOf(error)}; its files stay as they were`)
      groups.delete(group)
    }
  }
  const wanted = everyPurpose(sourcesOf(facts), facts.sources.debian.machine.systems)
  const kept = (earlier?.files ?? []).flatMap((file) =>
    file.for
      .filter((purpose) => wanted.includes(purpose) && !groups.has(groupOf(purpose)))
      .map((purpose): Candidate => ({ ...file, purpose, security: false })),
  )
  const lock = { made: now, files: merge([...files, ...kept], earlier, now) }
  return { lock, changes: changesOf(lock, earlier, files), warnings }
}

/** Files that must be of one state of the archive: those of a host's own architecture share libraries with its tools. */
function groupOf(purpose: string): string {
  const [what, first] = purpose.split('/')
  if (what === 'source') return 'sources'
  if (what === 'machine') return purpose
  return what === 'zig' ? 'zig' : (first as string)
}

/** The indexes of an architecture: none where they are out of step and an earlier lock has files for the purpose. */
async function openApt(
  suites: readonly Suite[],
  arch: Arch,
  { earlier, purpose }: { earlier: Lock | undefined; purpose: string },
  warnings: string[],
): Promise<Apt | undefined> {
  const { debian } = platformOf(arch)
  const directory = temporaryDirectory(`apt-${debian}`)
  await mkdir(join(directory, 'signed'))
  try {
    return await Apt.open(join(directory, 'signed'), debian, suites)
  } catch (error) {
    const reason = `${purpose}: the indexes are out of step (${redact(messageOf(error)).replace(/ \[IP: [^\]]*\]/, '')})`
    if (earlier?.files.some((file) => file.for.includes(purpose))) {
      warnings.push(`${reason}: its files stay as they were`)
      return undefined
    }
    warnings.push(`${reason}: its files are locked unconfirmed`)
    return Apt.openUnsigned(join(directory, 'unsigned'), debian, suites)
  }
}

function suitesOf(
  { sources }: Facts,
  { DEBIAN_MIRROR: mirror }: NodeJS.ProcessEnv,
  suite = sources.debian.suite,
): Suite[] {
  const [main, security] = mirror
    ? [mirror, `${mirror.replace(/\/+$/, '')}-security`]
    : [sources.places.debian[0] as string, sources.places['debian-security'][0] as string]
  return [
    { archive: 'debian', url: main, name: suite },
    { archive: 'debian', url: main, name: `${suite}-updates` },
    { archive: 'debian-security', url: security, name: `${suite}-security` },
    ...sources.debian.otherSources.map(
      (name): Suite => ({ archive: 'debian', url: main, name, sourcesOnly: true }),
    ),
  ]
}

/** The packages of a virtual machine; none where the indexes cannot be read, so that those of the earlier lock stay. */
async function filesOfMachine(
  facts: Facts,
  os: string,
  arch: Arch,
  known: { earlier: Lock | undefined; purpose: string },
  warnings: string[],
): Promise<Candidate[] | undefined> {
  const { systems, kernels, packages } = facts.sources.debian.machine
  const suites = suitesOf(facts, process.env, systems[os]?.suite).filter(
    ({ sourcesOnly }) => !sourcesOnly,
  )
  const apt = await openApt(suites, arch, known, warnings)
  const files = await apt?.closure([
    ...packages,
    ...(systems[os]?.packages ?? []),
    kernels[arch] as string,
  ])
  return files?.map((file) => candidate(apt as Apt, file, known.purpose))
}

async function filesOfArch(apt: Apt, { sources }: Facts, arch: Arch): Promise<Candidate[]> {
  const { builder, alone, target, conformance } = sources.debian
  const as = (purpose: string) => (file: IndexedFile) => candidate(apt, file, purpose)
  const files = (await apt.candidates(target)).map(as(purposes.target(arch)))
  if (!buildHosts.includes(arch)) return files
  const root = [...(await apt.closure(builder)), ...(await apt.candidates(alone))]
  const inRoot = new Set(root.map(({ path }) => path))
  const beside = async (names: readonly string[]) =>
    (await apt.closure([...builder, ...names])).filter(({ path }) => !inRoot.has(path))
  for (const other of allArches.filter((other) => other !== arch)) {
    const compiler = `gcc-${platformOf(other).gnu.replace('_', '-')}`
    files.push(...(await beside([compiler])).map(as(purposes.compiler(arch, other))))
  }
  files.push(...(await apt.closure(conformance)).map(as(purposes.conformance(arch))))
  return [...files, ...root.map(as(purposes.builder(arch)))]
}

async function filesOfSources(apt: Apt, facts: Facts): Promise<Candidate[]> {
  const files: Candidate[] = []
  for (const name of sourcesOf(facts)) {
    for (const file of await apt.source(name))
      files.push(candidate(apt, file, purposes.source(name)))
  }
  return files
}

function candidate(apt: Apt, file: IndexedFile, purpose: string): Candidate {
  const security = apt.isSecurityUpdate(file)
  return { ...file, purpose, security, ...(!apt.signed && { unconfirmed: true as const }) }
}

/** The files that can be had: without the patches of a source, where the archive does not serve them. Throws for any other. */
async function served(
  candidates: readonly Candidate[],
  { sources }: Facts,
  now: string,
  say: (text: string) => void,
): Promise<Candidate[]> {
  const asLocked = ({ purpose, security: _, ...file }: Candidate): LockedFile => {
    return { ...file, locked: now, for: [purpose] }
  }
  const isPatches = ({ path }: Candidate) => /\.debian\.tar\.\w+$/.test(path)
  await fetchInputs(candidates.filter((file) => !isPatches(file)).map(asLocked), { sources, say })
  const unpatched = new Set<string>()
  for (const file of candidates.filter(isPatches)) {
    await fetchInputs([asLocked(file)], { sources, say: () => {} }).catch((error) => {
      if (!/: 40[34]\b/.test(messageOf(error))) throw error
      say(`${describeFile(asLocked(file))}: the archive does not serve its patches`)
      unpatched.add(file.purpose)
    })
  }
  return candidates
    .filter((file) => !(isPatches(file) && unpatched.has(file.purpose)))
    .map((file) =>
      unpatched.has(file.purpose) ? { ...file, patches: 'not served' as const } : file,
    )
}

/** Candidates of the same file as one, which was locked when its content first was. */
function merge(candidates: readonly Candidate[], earlier: Lock | undefined, now: string) {
  const before = new Map(earlier?.files.map((file) => [file.sha256, file.locked]))
  const files = new Map<string, LockedFile>()
  for (const { purpose, security: _, ...file } of candidates) {
    const key = `${file.archive}/${file.path}`
    const known = files.get(key)
    const all = [...new Set([...(known?.for ?? []), purpose])].sort()
    files.set(key, ordered({ ...file, locked: before.get(file.sha256) ?? now, for: all }))
  }
  return [...files.values()]
}

/** Always the same order of fields, so that lines change only where something changed. */
function ordered(file: LockedFile): LockedFile {
  const { archive, path, size, sha256, package: name, version, architecture, source, locked } = file
  return {
    ...{ archive, path, size, sha256, package: name, version, architecture, source, locked },
    for: file.for,
    ...(file.patches && { patches: file.patches }),
    ...(file.unconfirmed && { unconfirmed: file.unconfirmed }),
  }
}

function changesOf({ files }: Lock, earlier: Lock | undefined, fresh: readonly Candidate[]) {
  const [before, after] = [versionsOf(earlier?.files ?? []), versionsOf(files)]
  const security = fresh.filter((file) => file.security)
  const unconfirmed = (list: readonly LockedFile[]) =>
    new Set(list.filter((file) => file.unconfirmed).map(nameOf))
  const [doubted, doubtful] = [unconfirmed(earlier?.files ?? []), unconfirmed(files)]
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((key) => {
    const [old, current] = [before.get(key), after.get(key)]
    const confirmed = doubted.has(key) && !doubtful.has(key)
    if (old === current) return confirmed ? [`${key}: confirmed by a signed index`] : []
    const isSecurity = security.some(
      (file) => nameOf(file) === key && current?.includes(file.version),
    )
    const change = `${key}: ${old ?? 'not there'} -> ${current ?? 'not there'}`
    return [isSecurity ? `${change} (security)` : change]
  })
}

function nameOf({ package: name, architecture }: Pick<LockedFile, 'package' | 'architecture'>) {
  return `${name} ${architecture}`
}

/** The versions of each package: of one for all architectures there may be several, while one of these lags behind. */
function versionsOf(files: readonly LockedFile[]): Map<string, string> {
  const versions = new Map<string, Set<string>>()
  for (const file of files) {
    const known = versions.get(nameOf(file)) ?? new Set()
    versions.set(nameOf(file), known.add(file.version))
  }
  return new Map([...versions].map(([name, set]) => [name, [...set].sort().join(', ')]))
}
