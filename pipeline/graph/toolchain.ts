import type { Container, Directory } from '@dagger.io/dagger'
import type { Platform } from '../facts/platform.js'
import { purposes } from '../inputs/lock.js'
import { toolchainPurposes } from '../inputs/needed.js'
import { type Builder, lockedFiles, withPackages } from './builder.js'
import { withNetwork } from './network.js'

/** Where `withZig` puts the compiler. */
export const zig = '/opt/zig/zig'

/** Debian's cross compiler, headers and libraries for a platform over the builder's root: one layer for all that is compiled with it. Lazy. */
export function cToolchain(builder: Builder, platform: Platform): Container {
  return withPackages(builder, toolchainPurposes(builder.host, platform.arch))
    .withEnvVariable('GNU_TRIPLET', platform.gnu)
    .withEnvVariable('MUSL_TRIPLET', platform.musl)
}

/**
 * A Go builder for a platform, or for the builder's own. Debian's Go only starts the wanted release, which the go command fetches from the module
 * proxy and checks against the checksum database. All builders share one module cache and one build cache.
 */
export function goBuilder(builder: Builder, release: string, platform?: Platform): Container {
  const { client, root, network } = builder
  return withTarget(withNetwork(root, client, network), platform)
    .withEnvVariable('GOPATH', '/go')
    .withEnvVariable('GOCACHE', '/go/build')
    .withMountedCache('/go/pkg/mod', client.cacheVolume('kubelet-images-go-modules'))
    .withMountedCache('/go/build', client.cacheVolume('kubelet-images-go-build'))
    .withEnvVariable('GOTOOLCHAIN', `go${release}`)
}

function withTarget(container: Container, platform?: Platform): Container {
  if (platform === undefined) return container
  const go = container.withEnvVariable('GOOS', 'linux').withEnvVariable('GOARCH', platform.arch)
  return platform.goarm === undefined ? go : go.withEnvVariable('GOARM', platform.goarm)
}

/** Adds zig, a C compiler for every target with musl to link statically. */
export function withZig(builder: Builder, container: Container): Container {
  return container
    .withMountedDirectory('/opt/zig', zigDirectory(builder))
    .withEnvVariable('ZIG_GLOBAL_CACHE_DIR', '/var/cache/zig')
    .withEnvVariable('ZIG_LOCAL_CACHE_DIR', '/var/cache/zig')
    .withMountedCache('/var/cache/zig', builder.client.cacheVolume('kubelet-images-zig'))
}

/** The PyPI package ziglang, whose wheel is a zip file. Modes are not always right in it. */
function zigDirectory(builder: Builder): Directory {
  const { files, directory } = lockedFiles(builder, [purposes.zig(builder.host)])
  return builder.root
    .withMountedDirectory('/inputs', directory)
    .withExec(['unzip', '-q', `/inputs/${files[0]?.sha256}`, '-d', '/wheel'])
    .withExec(['chmod', '755', '/wheel/ziglang/zig'])
    .directory('/wheel/ziglang')
}
