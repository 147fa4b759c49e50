import type { Container, Directory, File } from '@dagger.io/dagger'
import { type Arch, type Platform, platformOf } from '../facts/platform.js'
import type { SourceFacts } from '../facts/schema.js'
import type { LockedPackages } from '../plan/alpine-lock.js'
import type { AlpineRoot } from '../plan/spec.js'
import type { Builder } from './builder.js'
import { imageFiles, toolFiles } from './files.js'
import { withNetwork } from './network.js'
import { goBuilder } from './toolchain.js'

/** The variable of a step with the URL of the mirror, which may have a password in it. */
export const mirrorVariable = 'ALPINE_MIRROR'

/** A mirror for the steps of a build. The client has its URL in the environment, as `clientVariable` names it. */
export interface AlpineMirror {
  /** Ports on the client's loopback that the URL names. */
  ports: readonly number[]
  /** Changes when the mirror's indexes do, so that packages are resolved again then, and only then. */
  state: string
  /** Public keys to trust beside Alpine's, by file name. */
  keys: Readonly<Record<string, string>>
}

/**
 * The verified packages of a root: a folder for each architecture, and `packages.json` with what is in them. Lazy.
 * They are resolved from the mirror's signed indexes, once for all architectures, or they are the locked ones.
 */
export function alpinePackages(
  builder: Builder,
  sources: SourceFacts,
  root: AlpineRoot,
  mirror: AlpineMirror,
  arches: readonly Arch[],
  locked?: LockedPackages,
): Directory {
  const { release, repositories, world } = root
  const request = {
    release,
    repositories,
    world,
    arches: Object.fromEntries(arches.map((arch) => [arch, platformOf(arch).alpine])),
    ...(locked && { locked }),
  }
  const keys = Object.entries(mirror.keys).reduce(
    (folder, [name, content]) => folder.withNewFile(name, content),
    imageFiles(builder.client, 'alpine/keys/'),
  )
  const { client, network } = builder
  const way = {
    ...network,
    variables: [...network.variables, mirrorVariable],
    ports: [...new Set([...network.ports, ...mirror.ports])],
  }
  return withNetwork(withProgram(builder, sources), client, way)
    .withMountedDirectory('/keys', keys)
    .withNewFile('/request.json', JSON.stringify(request))
    .withEnvVariable('MIRROR_STATE', locked ? 'locked' : mirror.state)
    .withExec(['alpine-root', 'fetch', '/request.json', '/out'])
    .directory('/out')
}

/** The root that packages of `alpinePackages` make for one platform. Lazy. */
export function alpineRoot(
  builder: Builder,
  sources: SourceFacts,
  root: AlpineRoot,
  packages: Directory,
  platform: Platform,
): Directory {
  const repositories = root.repositories.map((name) => `${root.origin}/${root.release}/${name}`)
  return withProgram(builder, sources)
    .withMountedDirectory('/packages', packages.directory(platform.arch))
    .withEnvVariable('ARCH', platform.alpine)
    .withEnvVariable('WORLD', root.world.join(' '))
    .withEnvVariable('REPOSITORIES', repositories.join(' '))
    .withExec(['alpine-root', 'install', '/packages', '/rootfs'])
    .directory('/rootfs')
}

function withProgram(builder: Builder, sources: SourceFacts): Container {
  return builder.root.withFile('/usr/bin/alpine-root', program(builder, sources))
}

/** tools/alpine-root, compiled for the builder. */
function program(builder: Builder, { apko }: SourceFacts): File {
  return goBuilder(builder, apko.go)
    .withMountedDirectory('/images', imageFiles(builder.client, '.', ['retry.sh']))
    .withMountedDirectory('/tools', toolFiles(builder.client, 'alpine-root'))
    .withEnvVariable('OUT', '/out')
    .withExec(['sh', '/tools/compile.sh'])
    .file('/out/alpine-root')
}
