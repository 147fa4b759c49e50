import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type Directory, ExecError } from '@dagger.io/dagger'
import { throughTunnel } from '../engine/network.js'
import { buildLog, causeOf, describeFailure } from '../engine/session.js'
import { BuildError, messageOf, UserError } from '../facts/errors.js'
import { type Arch, platformOf } from '../facts/platform.js'
import type { Facts } from '../facts/schema.js'
import { type AlpineMirror, alpinePackages, mirrorVariable } from '../graph/alpine-root.js'
import type { Builder } from '../graph/builder.js'
import { clientVariable } from '../graph/network.js'
import { ask, reasonOf, redact } from '../host/http.js'
import { line, step } from '../host/progress.js'
import {
  type AlpineLock,
  type LockedPackages,
  lockedPackages,
  lockOf,
  parseLock,
} from '../plan/alpine-lock.js'
import type { BuildRequest } from '../plan/request.js'
import type { AlpineRoot, ImageSpec } from '../plan/spec.js'

// How long a mirror may take to tell of an index before it counts as out of reach, in milliseconds.
const patience = 5_000

/** A mirror that has answered, and what the user gave with it. */
export interface Mirror extends AlpineMirror {
  /** As steps see it: the one place that messages of theirs name. */
  inner: string
  /** As the user named it, without a password. */
  name: string
  locks: AlpineLock[]
}

interface FetchOptions {
  builder: Builder
  facts: Facts
  spec: ImageSpec
  mirror: Mirror
}

/** The bases of a request whose packages can be reached; says in a line which one it skips and why. None that is named is. */
export async function reachableBases(request: BuildRequest, facts: Facts): Promise<string[]> {
  const { bases, basesNamed, alpine } = request
  // A mirror that the user names must answer, which is told later.
  if (basesNamed || alpine.mirror !== undefined) return bases
  const reached = await Promise.all(
    bases.map(async (base) => {
      const baseFacts = facts.bases[base]
      if (baseFacts?.kind !== 'alpine') return [base]
      const { mirror, repositories } = facts.alpine
      const index = indexUrl(mirror, baseFacts.release, repositories[0] as string, 'amd64')
      try {
        await indexState(index)
        return [base]
      } catch (error) {
        line(`base ${base} is skipped: ${messageOf(error)}`)
        return []
      }
    }),
  )
  return reached.flat()
}

/**
 * Reads keys and locks, and asks the mirror for its indexes. Nothing where no image is on Alpine.
 * Throws a UserError for files that are none and for a mirror without that release, a BuildError for one that does not answer.
 */
export async function prepareMirror(
  { alpine, arches }: BuildRequest,
  facts: Facts,
  specs: readonly ImageSpec[],
): Promise<Mirror | undefined> {
  const onAlpine = specs.filter(({ root }) => root.kind === 'alpine')
  const root = onAlpine[0]?.root as AlpineRoot | undefined
  if (root === undefined) return undefined
  const keys = Object.fromEntries(await Promise.all(alpine.keys.map(readKey)))
  const locks = await Promise.all(
    alpine.locks.map(async (file) => parseLock(await readGiven('--alpine-lock', file), file)),
  )
  for (const spec of onAlpine) lockedPackages(spec, spec.root as AlpineRoot, locks)
  const url = alpine.mirror ?? facts.alpine.mirror
  const states: string[] = []
  for (const repository of root.repositories) {
    for (const arch of arches) {
      const index = indexUrl(url, root.release, repository, arch)
      states.push(
        await indexState(index).catch((error) => {
          const remedy = 'check --alpine-mirror, or choose --base static'
          const Kind = error instanceof UserError ? UserError : BuildError
          throw new Kind(`${messageOf(error)}: ${remedy}`, { cause: error })
        }),
      )
    }
  }
  const { address, ports } = throughTunnel(url)
  // The client that is started for the build hands it on to the step as a secret.
  process.env[clientVariable(mirrorVariable)] = address
  return { inner: address, name: redact(url), ports, state: states.join('\n'), keys, locks }
}

/**
 * The verified packages of an image on Alpine, by way of a folder that is not there yet, and their lock.
 * Throws a BuildError of one line.
 */
export async function fetchPackages(
  { builder, facts, spec, mirror }: FetchOptions,
  folder: string,
): Promise<{ directory: Directory; lock: AlpineLock }> {
  const root = spec.root as AlpineRoot
  const locked = lockedPackages(spec, root, mirror.locks)
  const fetched = alpinePackages(builder, facts.sources, root, mirror, spec.arches, locked)
  const label = `${spec.image} ${spec.tag}: packages`
  await step(label, () => fetched.export(folder)).catch((error) => {
    throw refusal(label, error, mirror)
  })
  const list = await readFile(join(folder, 'packages.json'), 'utf8')
  return {
    // The engine knows a folder of the host by its content: the same packages are not installed and packed again
    // when an index has changed or when another mirror has them.
    directory: builder.client.host().directory(folder),
    lock: lockOf(spec, root, JSON.parse(list) as LockedPackages),
  }
}

/** The program ends with one line that says what is wrong; the address in it is as the step sees it, or as the engine hides it. */
function refusal(label: string, error: unknown, { inner, name }: Mirror): BuildError {
  const cause = causeOf(error)
  if (!(cause instanceof ExecError) || cause.cmd[0] !== 'alpine-root') {
    return describeFailure(label, error)
  }
  const said = cause.stderr.trimEnd().split('\n').at(-1) as string
  const readable = redact(said.replaceAll(inner, name).replaceAll('***', name))
  return new BuildError(`${label}: ${readable} (full log: ${buildLog})`, { cause: error })
}

function indexUrl(mirror: string, release: string, repository: string, arch: Arch): string {
  return `${mirror}/${release}/${repository}/${platformOf(arch).alpine}/APKINDEX.tar.gz`
}

/** What tells one state of an index from another, by its headers alone. Throws when the mirror has none. */
async function indexState(url: string): Promise<string> {
  const signal = AbortSignal.timeout(patience)
  const response = await ask(url, { method: 'HEAD', signal }).catch((error: Error) => {
    const reason = signal.aborted ? `within ${patience / 1000} s` : reasonOf(error)
    throw new BuildError(`the Alpine mirror does not answer at ${redact(url)} (${reason})`)
  })
  if (!response.ok) {
    const Kind = response.status < 500 ? UserError : BuildError
    throw new Kind(`the Alpine mirror answers ${response.status} for ${redact(url)}`)
  }
  const facts = ['etag', 'last-modified', 'content-length'].map((name) =>
    response.headers.get(name),
  )
  // Without any of them every build is a new state.
  return facts[0] || facts[1] ? facts.join(' ') : String(Date.now())
}

async function readKey(file: string): Promise<[string, string]> {
  const key = await readGiven('--alpine-key', file)
  if (!key.includes('-----BEGIN PUBLIC KEY-----')) {
    throw new UserError(
      `--alpine-key ${file} is no public key in PEM format: take one that begins with BEGIN PUBLIC KEY`,
    )
  }
  return [basename(file), key]
}

async function readGiven(flag: string, file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error) => {
    throw new UserError(`${flag} ${file} cannot be read: name a file that is there`, {
      cause: error,
    })
  })
}
