import { readFileSync } from 'node:fs'
import type { Client, Container, Directory } from '@dagger.io/dagger'
import type { Arch } from '../facts/platform.js'
import {
  purposes as builderPurposes,
  filesFor,
  type Lock,
  type LockedFile,
} from '../inputs/lock.js'
import { debianCertificates, type Network } from './network.js'

/** What every step of a build stands on: the client, the root that steps run in, and the locked files. */
export interface Builder {
  client: Client
  /** Debian's tools, made of locked packages alone, for the machine that the engine runs on. */
  root: Container
  /** Architecture of that machine. */
  host: Arch
  lock: Lock
  /** Folder of this machine with the locked files, each named by its SHA-256. */
  store: string
  /** The way of steps to the network. */
  network: Network
}

const unpack = readFileSync(new URL('unpack.sh', import.meta.url), 'utf8')

/** The root for steps, from an archive of an image that holds it. Lazy. */
export function builderRoot(client: Client, archive: string): Container {
  return client
    .container()
    .import_(client.host().file(archive))
    .withNewFile('/unpack.sh', unpack)
    .withEnvVariable('PATH', '/usr/lib/go-1.24/bin:/usr/sbin:/usr/bin')
    .withEnvVariable('SSL_CERT_DIR', debianCertificates)
}

/** The locked files for some purposes, in the order of the lock, and a directory with them, each named by its SHA-256. Lazy. */
export function lockedFiles(
  { client, lock, store }: Pick<Builder, 'client' | 'lock' | 'store'>,
  purposes: readonly string[],
): { files: LockedFile[]; directory: Directory } {
  const files = filesFor(lock, purposes)
  const include = [...new Set(files.map(({ sha256 }) => sha256))].sort()
  return { files, directory: client.host().directory(store, { include }) }
}

/**
 * The builder's root with the files of Debian packages for some purposes laid over a directory of it. Over the root itself only
 * those that it has not got: what runs must not be replaced. Lazy.
 */
export function withPackages(
  builder: Builder,
  purposes: readonly string[],
  directory = '/',
): Container {
  const { files, directory: inputs } = lockedFiles(builder, purposes)
  const present = directory === '/' ? [builderPurposes.builder(builder.host)] : []
  const added = files.filter((file) => !file.for.some((purpose) => present.includes(purpose)))
  return builder.root
    .withMountedDirectory('/inputs', inputs)
    .withExec(['sh', '/unpack.sh', directory, ...added.map(({ sha256 }) => `/inputs/${sha256}`)])
    .withoutMount('/inputs')
}
