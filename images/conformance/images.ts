import type { Container, Directory } from '@dagger.io/dagger'
import { type Builder, withPackages } from '../../pipeline/graph/debian.js'

// What upstream's images have from Alpine, and what the tests run in them.
const packages = [
  ...['apache2', 'bash', 'bind9-dnsutils', 'busybox', 'curl', 'iperf', 'iproute2'],
  ...['netcat-openbsd', 'nginx-light', 'procps'],
]

/** Commands of the images that most cases are made of, by their names in test/images of Kubernetes. */
const commands: Record<string, string[]> = {
  agnhost: ['/agnhost', 'pause'],
  busybox: ['sh'],
  httpd: ['apache2ctl', '-D', 'FOREGROUND'],
  'jessie-dnsutils': ['sleep', 'infinity'],
  nginx: ['nginx', '-g', 'daemon off;'],
}

/**
 * Images for the pods of Kubernetes' tests by their names: agnhost from the release's source, the others stand-ins of the same
 * programs, all of them on Debian. Lazy.
 */
export function conformanceImages(
  builder: Builder,
  conformance: Directory,
  coredns: Directory,
): Record<string, Container> {
  const root = withPackages(builder.root, packages)
    .withFile('/agnhost', conformance.file('agnhost'))
    .withFile('/coredns', coredns.file('usr/local/bin/coredns'))
    // What the tests expect to find where.
    .withExec([
      ...['sh', '-euc'],
      'ln -s agnhost /agnhost-2; mkdir -p /uploads /usr/local/apache2; ln -s /var/www/html /usr/local/apache2/htdocs',
    ])
  return Object.fromEntries(
    Object.entries(commands).map(([name, command]) => {
      // Arguments of a pod are those of agnhost, and commands of the others.
      const entrypoint = name === 'agnhost' ? command.slice(0, 1) : []
      const args = command.slice(entrypoint.length)
      return [name, root.withEntrypoint(entrypoint).withDefaultArgs(args)]
    }),
  )
}
