import type { Container, Directory } from '@dagger.io/dagger'
import type { Platform } from '../platform.js'
import type { SourceFacts } from '../variants.js'
import { type Builder, withEnvironment, withPackages } from './debian.js'

/** Where `withZig` puts the compiler. */
export const zig = '/opt/zig/zig'

/**
 * A Go builder for a platform, or for the builder's own. Debian's Go only starts the wanted release, which the go command fetches from the module
 * proxy and checks against the checksum database. All builders share one module cache and one build cache.
 */
export function goBuilder(builder: Builder, release: string, platform?: Platform): Container {
  const { client, root } = builder
  const debian = withPackages(root, ['ca-certificates', 'golang-go'])
  return withTarget(withEnvironment(debian, builder, 'GO'), platform)
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
export function withZig(builder: Builder, container: Container, sources: SourceFacts): Container {
  return container
    .withMountedDirectory('/opt/zig', zigDirectory(builder, sources))
    .withEnvVariable('ZIG_GLOBAL_CACHE_DIR', '/var/cache/zig')
    .withEnvVariable('ZIG_LOCAL_CACHE_DIR', '/var/cache/zig')
    .withMountedCache('/var/cache/zig', builder.client.cacheVolume('kubelet-images-zig'))
}

/** The PyPI package ziglang, checked against the checksums in variants.json. */
function zigDirectory(builder: Builder, { zig }: SourceFacts): Directory {
  const hashes = zig.sha256.map((sum) => `--hash=sha256:${sum}`).join(' ')
  const pip = withPackages(builder.root, ['ca-certificates', 'python3-pip'])
  return withEnvironment(pip, builder, 'PIP_')
    .withNewFile('/requirements.txt', `ziglang==${zig.version} ${hashes}\n`)
    .withExec([
      ...['pip', 'install', '--quiet', '--retries=5', '--no-compile', '--target=/wheel'],
      ...['--only-binary=:all:', '--require-hashes', '--requirement=/requirements.txt'],
    ])
    .directory('/wheel/ziglang')
}
