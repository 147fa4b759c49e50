import type { Directory, File } from '@dagger.io/dagger'
import type { Platform } from '../facts/platform.js'
import type { Facts, UserlandFacts } from '../facts/schema.js'
import { purposes } from '../inputs/lock.js'
import { type Builder, lockedFiles } from './builder.js'
import { imageFiles } from './files.js'
import { cToolchain } from './toolchain.js'

/** The root of the static base: directories, account files, CA certificates and the named parts of the userland. Lazy. */
export function staticRoot(
  builder: Builder,
  facts: Facts,
  parts: readonly string[],
  platform: Platform,
): Directory {
  return withParts(builder, facts, skeleton(builder), parts, platform)
}

/** What is in the root beside programs. */
function skeleton({ client, root }: Builder): Directory {
  // In a step, because the engine gives directories modes of its own. iptables keeps its lock in /run, and programs of two decades
  // look for sockets in /var/run.
  const script = `mkdir -p /skeleton && cd /skeleton
install --directory --mode=755 etc etc/ssl etc/ssl/certs run var
install --directory --mode=1777 tmp
ln -s /run var/run
find /usr/share/ca-certificates -name '*.crt' | LC_ALL=C sort | xargs cat >etc/ssl/certs/ca-certificates.crt
install --mode=644 /accounts/etc/* etc/`
  return root
    .withMountedDirectory('/accounts', imageFiles(client, 'static/rootfs/'))
    .withExec(['sh', '-euc', script])
    .directory('/skeleton')
}

/** The root with the named parts of the static userland laid over it. Lazy. */
export function withParts(
  builder: Builder,
  facts: Facts,
  root: Directory,
  parts: readonly string[],
  platform: Platform,
): Directory {
  return parts.reduce(
    (tree, part) => tree.withDirectory('/', userlandPart(builder, facts, part, platform)),
    root,
  )
}

/** One part of the userland, built by images/static/PART.sh for the platform. */
function userlandPart(builder: Builder, facts: Facts, part: string, platform: Platform): Directory {
  const { sources } = facts.userland[part] as UserlandFacts
  const files = [`${part}*`, 'musl.sh', 'commands.c']
  return sources
    .reduce(
      (container, source) =>
        container.withMountedDirectory(
          `/src/${source.split('/')[0]}`,
          debianSource(builder, source),
        ),
      cToolchain(builder, platform),
    )
    .withMountedDirectory('/build', imageFiles(builder.client, 'static/', files))
    .withEnvVariable('SRC', '/src')
    .withEnvVariable('OUT', '/out')
    .withExec(['sh', `/build/${part}.sh`])
    .directory('/out')
}

/** The source of a Debian source package, with Debian's patches where the lock has them. */
function debianSource(builder: Builder, source: string): Directory {
  const { files, directory } = lockedFiles(builder, [purposes.source(source)])
  const named = (part: string) => {
    const file = files.find(({ path }) => path.includes(`.${part}.tar.`))
    return file === undefined ? '' : `/inputs/${file.sha256}`
  }
  return builder.root
    .withMountedDirectory('/inputs', directory)
    .withMountedFile('/source.sh', sourceScript(builder))
    .withExec(['sh', '/source.sh', named('orig'), named('debian')])
    .directory('/source')
}

function sourceScript({ client }: Builder): File {
  return imageFiles(client, 'static/', ['source.sh']).file('source.sh')
}
