import type { Client, Directory, File } from '@dagger.io/dagger'
import { aptUpdate, type Builder, withPackages } from '../../pipeline/graph/debian.js'
import type { Platform } from '../../pipeline/platform.js'
import type { UserlandFacts, Variants } from '../../pipeline/variants.js'
import { imageFiles } from '../files.js'

/** The root of the static base: account files, CA certificates and the named parts of the userland. Lazy. */
export function staticRoot(
  builder: Builder,
  facts: Variants,
  parts: readonly string[],
  platform: Platform,
): Directory {
  const { client } = builder
  const root = client
    .directory()
    .withFiles('/etc', accountFiles(client), { permissions: 0o644 })
    .withFile('/etc/ssl/certs/ca-certificates.crt', caCertificates(builder))
    .withNewDirectory('/tmp', { permissions: 0o1777 })
    // iptables keeps its lock there.
    .withNewDirectory('/run')
  return withParts(builder, facts, root, parts, platform)
}

/** The files in rootfs/etc, whose modes are not to be those of the checkout. */
function accountFiles(client: Client): File[] {
  const files = imageFiles(client, 'static/rootfs/')
  const names = ['group', 'nsswitch.conf', 'passwd', 'protocols']
  return names.map((name) => files.file(`etc/${name}`))
}

/** The root with the named parts of the static userland laid over it. Lazy. */
export function withParts(
  builder: Builder,
  facts: Variants,
  root: Directory,
  parts: readonly string[],
  platform: Platform,
): Directory {
  return parts.reduce(
    (tree, part) => tree.withDirectory('/', userlandPart(builder, facts, part, platform)),
    root,
  )
}

function caCertificates({ root }: Builder): File {
  // From the package itself: /etc/ssl/certs of the builder may hold certificates of this machine.
  const script = `${aptUpdate}
cd /tmp && apt-get download ca-certificates
dpkg-deb --extract ca-certificates_*.deb tree
find tree/usr/share/ca-certificates -name '*.crt' | LC_ALL=C sort | xargs cat >/ca-certificates.crt`
  return root.withExec(['sh', '-euc', script]).file('/ca-certificates.crt')
}

/** One part of the userland, built by images/static/PART.sh for the platform. */
function userlandPart(
  builder: Builder,
  facts: Variants,
  part: string,
  platform: Platform,
): Directory {
  const { sources, packages, targetPackages } = facts.userland[part] as UserlandFacts
  const crossCompiler = `gcc-${platform.gnu.replace('_', '-')}`
  const libraries = ['libc6-dev', ...targetPackages].map((name) => `${name}:${platform.debian}`)
  const root = builder.root.withExec(['dpkg', '--add-architecture', platform.debian])
  const tools = withPackages(root, ['binutils', 'make', crossCompiler, ...libraries, ...packages])
  const files = [`${part}*`, 'musl.sh', 'commands.c']
  return sources
    .reduce(
      (container, source) =>
        container.withMountedDirectory(
          `/src/${source.split('/')[0]}`,
          debianSource(builder, source),
        ),
      tools,
    )
    .withMountedDirectory('/build', imageFiles(builder.client, 'static/', files))
    .withEnvVariable('GNU_TRIPLET', platform.gnu)
    .withEnvVariable('MUSL_TRIPLET', platform.musl)
    .withEnvVariable('SRC', '/src')
    .withEnvVariable('OUT', '/out')
    .withExec(['sh', `/build/${part}.sh`])
    .directory('/out')
}

/** Upstream's source of a Debian source package; apt checks it against the signed archive index. */
function debianSource({ root }: Builder, source: string): Directory {
  // A source of another suite than the root's comes from the same archive. --tar-only: some mirrors leave out
  // the .dsc files, which only repeat the checksums of the index.
  const script = `suite=\${1#*/}
cd /etc/apt
if [ "$suite" = "$1" ]; then
  sed -i 's/^Types: deb$/Types: deb deb-src/' sources.list.d/*.sources 2>/dev/null || :
  [ ! -s sources.list ] || sed -n 's/^deb /deb-src /p' sources.list >sources.list.d/source.list
else
  uri=$(cat sources.list sources.list.d/*.sources 2>/dev/null | grep -o 'http[^ ]*/debian/*' | head -n 1)
  echo "deb-src $uri $suite main" >sources.list.d/source.list
fi
${aptUpdate}
mkdir /download /source && cd /download
apt-get source -q --only-source --download-only --tar-only "\${1%/*}"
tar --extract --strip-components=1 --directory=/source --file="$(ls)"`
  return withPackages(root, ['bzip2', 'xz-utils'])
    .withExec(['sh', '-euc', script, 'source', source])
    .directory('/source')
}
