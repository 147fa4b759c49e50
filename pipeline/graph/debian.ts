import type { Client, Container } from '@dagger.io/dagger'

/** What every step of a build stands on: the client and the Debian root that steps run in. */
export interface Builder {
  client: Client
  /** Debian, amd64 or whatever the engine runs on, with nothing but apt and CA certificates. */
  root: Container
  /** Variables of the user for the go command and for pip: proxies and mirrors, for example GOPROXY. */
  environment: Readonly<Record<string, string>>
}

// A mirror that stalls is asked again; one that refuses is not.
const aptConfiguration = `Acquire::http::Timeout "20";
Acquire::Retries "5";
APT::Install-Recommends "false";
`

/** The Debian root of the builder from a registry, or from an archive that mmdebstrap made. Lazy. */
export function debianRoot(
  client: Client,
  origin: { image: string } | { archive: string },
): Container {
  const root =
    'image' in origin
      ? client.container().from(origin.image)
      : client.container().import_(client.host().file(origin.archive))
  return root
    .withEnvVariable('DEBIAN_FRONTEND', 'noninteractive')
    .withNewFile('/etc/apt/apt.conf.d/90kubelet-images', aptConfiguration)
}

/** The container with the user's variables that start with `prefix`. */
export function withEnvironment(
  container: Container,
  { environment }: Builder,
  prefix: string,
): Container {
  return Object.entries(environment)
    .filter(([name]) => name.startsWith(prefix))
    .reduce((result, [name, value]) => result.withEnvVariable(name, value), container)
}

const update = 'apt-get update -q || apt-get update -q'

/**
 * Shell command that fetches the package indexes. A mirror in the middle of an update serves indexes that do not fit: what it does
 * serve may be enough, and apt takes nothing that its signed index does not vouch for.
 */
export const aptUpdate = `${update} || echo 'going on without some package indexes'`

// The updates of one architecture without those of another do not install side by side; the release itself always does.
const installScript = `. /etc/os-release
${update} || {
  echo "some package indexes do not fit: installing from $VERSION_CODENAME without its updates"
  printf 'Package: *\\nPin: release n=%s\\nPin-Priority: 1001\\n' "$VERSION_CODENAME" >/etc/apt/preferences.d/90kubelet-images
}
apt-get install -yq --allow-downgrades "$@"
rm -rf /var/lib/apt/lists/*`

/** The container with Debian packages added. Lazy. */
export function withPackages(container: Container, packages: readonly string[]): Container {
  return container.withExec(['sh', '-euc', installScript, 'apt', ...packages])
}
