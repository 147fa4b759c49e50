import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BuildError } from '../facts/errors.js'
import { ask } from '../host/http.js'
import { run, succeed } from '../host/process.js'

/** A file as an index of Debian names it. */
export interface IndexedFile {
  archive: 'debian' | 'debian-security'
  path: string
  size: number
  sha256: string
  package: string
  version: string
  architecture: string
  /** Source package and its version. */
  source: string
}

/** One suite of an archive, as a line of sources.list has it. */
export interface Suite {
  archive: 'debian' | 'debian-security'
  url: string
  name: string
  /** Of a suite that only sources are wanted of. */
  sourcesOnly?: boolean
}

/** Debian's own keys. */
export const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

/**
 * Debian's indexes for one architecture, read and checked by apt with a configuration of its own: nothing of this machine's packages or
 * sources counts, and nothing is installed.
 */
export class Apt {
  private constructor(
    private readonly directory: string,
    private readonly files: ReadonlyMap<string, IndexedFile>,
    /** Versions in the security archive, as NAME VERSION. */
    private readonly security: ReadonlySet<string>,
    /** Whether a signature of the archive covers every index. */
    readonly signed: boolean,
  ) {}

  /**
   * Fetches the indexes into a new directory. Throws a BuildError with apt's reason where one of them is not what its signed release
   * file says.
   */
  static async open(
    directory: string,
    architecture: string,
    suites: readonly Suite[],
  ): Promise<Apt> {
    const lines = suites.flatMap(({ url, name, sourcesOnly }) => {
      const place = `[signed-by=${keyring}] ${url} ${name} main`
      return [...(sourcesOnly ? [] : [`deb ${place}`]), `deb-src ${place}`]
    })
    await configure(directory, architecture, lines)
    await update(directory)
    return Apt.read(directory, suites, true)
  }

  /**
   * The same from indexes that the archive serves although its signed release files name others, as a mirror does in the middle of an
   * update: for a first lock, whose files the next signed index confirms.
   */
  static async openUnsigned(
    directory: string,
    architecture: string,
    suites: readonly Suite[],
  ): Promise<Apt> {
    const binaries = suites.filter(({ sourcesOnly }) => !sourcesOnly)
    const lines: string[] = []
    for (const { archive, url, name } of binaries) {
      const folder = join(directory, 'served', archive, name)
      await mkdir(folder, { recursive: true })
      const index = `${url}/dists/${name}/main/binary-${architecture}/Packages.xz`
      const answer = await ask(index)
      if (!answer.ok) throw new BuildError(`${index}: ${answer.status}`)
      await writeFile(join(folder, 'Packages.xz'), Buffer.from(await answer.arrayBuffer()))
      await succeed('xz', ['--decompress', '--force', join(folder, 'Packages.xz')])
      lines.push(`deb [trusted=yes] copy:${folder} ./`)
    }
    await configure(directory, architecture, lines)
    await update(directory)
    return Apt.read(directory, suites, false)
  }

  private static async read(
    directory: string,
    suites: readonly Suite[],
    signed: boolean,
  ): Promise<Apt> {
    const files = new Map<string, IndexedFile>()
    const security = new Set<string>()
    const lists = join(directory, 'lists')
    for (const name of await readdir(lists)) {
      if (!/_(Packages|Sources)$/.test(name)) continue
      const archive = suites.some(({ archive, name: suite }) => {
        return archive === 'debian-security' && name.includes(`_${suite}_`)
      })
        ? 'debian-security'
        : 'debian'
      const text = await readFile(join(lists, name), 'utf8')
      for (const file of name.endsWith('_Sources')
        ? sources(text, archive)
        : packages(text, archive)) {
        files.set(file.path, file)
        if (archive === 'debian-security') security.add(`${file.package} ${file.version}`)
      }
    }
    return new Apt(directory, files, security, signed)
  }

  /** The packages of these names and all that they depend on. */
  async closure(names: readonly string[]): Promise<IndexedFile[]> {
    return this.uris(['install', ...names])
  }

  /** The packages of these names alone. */
  async candidates(names: readonly string[]): Promise<IndexedFile[]> {
    return this.uris(['download', ...names])
  }

  /** The files of a source package, NAME or NAME/SUITE, but for what only describes the others. */
  async source(name: string): Promise<IndexedFile[]> {
    const files = await this.uris(['source', '--only-source', name])
    return files.filter(({ path }) => /\.(orig|debian)\.tar\.\w+$/.test(path))
  }

  /** Whether the security archive has this version. */
  isSecurityUpdate({ package: name, version }: { package: string; version: string }): boolean {
    return this.security.has(`${name} ${version}`)
  }

  private async uris(command: string[]): Promise<IndexedFile[]> {
    const { stdout } = await apt(this.directory, ['--print-uris', '-qq', ...command])
    return stdout
      .split('\n')
      .filter((line) => line.startsWith("'"))
      .flatMap((line) => {
        const path = /(pool\/.*?)'/.exec(decodeURIComponent(line))?.[1] ?? ''
        const file = this.files.get(path)
        if (file) return [file]
        if (/\.(dsc|asc)'/.test(line)) return []
        throw new BuildError(`apt names ${line.split(' ')[0]}, which no index has`)
      })
  }
}

async function configure(directory: string, architecture: string, lines: readonly string[]) {
  for (const folder of ['lists/partial', 'archives/partial', 'etc/none']) {
    await mkdir(join(directory, folder), { recursive: true })
  }
  await writeFile(join(directory, 'status'), '')
  // It may have the password of a mirror.
  await writeFile(join(directory, 'sources.list'), `${lines.join('\n')}\n`, { mode: 0o600 })
  const places = Object.entries({
    '::State': '',
    '::State::lists': 'lists',
    '::State::status': 'status',
    '::Cache': '',
    '::Etc': 'etc',
    '::Etc::sourcelist': 'sources.list',
    '::Etc::sourceparts': 'etc/none',
    '::Etc::parts': 'etc/none',
    '::Etc::preferencesparts': 'etc/none',
  }).map(([name, place]) => `Dir${name} "${join(directory, place)}";`)
  const settings = [
    ...places,
    `APT::Architecture "${architecture}";`,
    `APT::Architectures { "${architecture}"; };`,
    'APT::Install-Recommends "false";',
    'APT::Update::Error-Mode "any";',
    'APT::Sandbox::User "root";',
    'Acquire::Languages "none";',
    'Acquire::http::Timeout "20";',
    'Acquire::Retries "5";',
  ]
  await writeFile(join(directory, 'apt.conf'), `${settings.join('\n')}\n`)
}

async function update(directory: string): Promise<void> {
  await apt(directory, ['-q', 'update'])
}

async function apt(directory: string, args: readonly string[]) {
  const env = { APT_CONFIG: join(directory, 'apt.conf'), LC_ALL: 'C' }
  const result = await run('apt-get', args, { env })
  if (result.status !== 0) {
    const [reason] = result.stderr.split('\n').filter((line) => line.startsWith('E:'))
    throw new BuildError(reason?.slice(3) ?? `apt-get ${args[0]} failed`)
  }
  return result
}

function* stanzas(text: string): Generator<string> {
  for (const stanza of text.split('\n\n')) if (stanza.trim() !== '') yield stanza
}

function field(stanza: string, name: string): string {
  return new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1] ?? ''
}

function* packages(text: string, archive: IndexedFile['archive']): Generator<IndexedFile> {
  for (const stanza of stanzas(text)) {
    const name = field(stanza, 'Package')
    const version = field(stanza, 'Version')
    // `Source: glibc (2.41-12)` where the version is another, nothing where both are the package's own.
    const [, source = name, of = version] =
      /^(\S+)(?: \((.*)\))?$/.exec(field(stanza, 'Source')) ?? []
    yield {
      archive,
      path: field(stanza, 'Filename').replace(/^\.\//, ''),
      size: Number(field(stanza, 'Size')),
      sha256: field(stanza, 'SHA256'),
      package: name,
      version,
      architecture: field(stanza, 'Architecture'),
      source: `${source} ${of}`,
    }
  }
}

function* sources(text: string, archive: IndexedFile['archive']): Generator<IndexedFile> {
  for (const stanza of stanzas(text)) {
    const name = field(stanza, 'Package')
    const version = field(stanza, 'Version')
    const directory = field(stanza, 'Directory')
    const sums = /^Checksums-Sha256:\n((?: .*\n?)+)/m.exec(stanza)?.[1] ?? ''
    for (const [, sha256 = '', size, file] of sums.matchAll(/^ ([0-9a-f]{64}) (\d+) (\S+)$/gm)) {
      yield {
        archive,
        path: `${directory}/${file}`,
        size: Number(size),
        sha256,
        package: name,
        version,
        architecture: 'source',
        source: `${name} ${version}`,
      }
    }
  }
}
