import type { Container, Directory } from '@dagger.io/dagger'
import { type Builder, withPackages } from '../../pipeline/graph/debian.js'

// What upstream's images have from Alpine, and what the tests run in them.
const packages = [
  ...['apache2', 'bash', 'bind9-dnsutils', 'bsdextrautils', 'curl', 'iperf', 'iproute2'],
  ...['netcat-openbsd', 'nginx-light', 'procps', 'wget'],
]

/**
 * Images for the pods of Kubernetes' tests by their names in its test/images. agnhost and nautilus are of the release's source, on
 * Debian instead of Alpine; the others are stand-ins of the same programs from Debian. `tests` and `coredns` are the trees of these
 * components. Lazy.
 */
export function conformanceImages(
  builder: Builder,
  tests: Directory,
  coredns: Directory,
): Record<string, Container> {
  const root = withPackages(builder.root, packages)
    .withDirectory('/', tests.directory('images/agnhost'))
    .withFile('/coredns', coredns.file('usr/local/bin/coredns'))
    // What the tests expect to find where.
    .withExec(['ln', '-s', 'agnhost', '/agnhost-2'])
    .withExec(['mkdir', '-p', '/uploads', '/usr/local/apache2'])
    .withExec(['ln', '-s', '/var/www/html', '/usr/local/apache2/htdocs'])
    .withEntrypoint([])
  const agnhost = root.withEntrypoint(['/agnhost']).withDefaultArgs(['pause'])
  return {
    agnhost,
    busybox: busyboxImage(builder),
    httpd: root.withDefaultArgs(['apache2ctl', '-D', 'FOREGROUND']),
    'jessie-dnsutils': root.withDefaultArgs(['sleep', 'infinity']),
    nautilus: agnhost
      .withDirectory('/', tests.directory('images/nautilus'))
      .withDefaultArgs(['test-webserver']),
    nginx: root.withDefaultArgs(['nginx', '-g', 'daemon off;']),
  }
}

/** Debian's busybox, statically linked, and nothing else. */
function busyboxImage(builder: Builder): Container {
  const install = `mkdir -p /image/bin /image/etc /image/root /image/tmp
chmod 1777 /image/tmp
cp /bin/busybox /image/bin/
for applet in $(busybox --list); do [ "$applet" = busybox ] || ln -s busybox "/image/bin/$applet"; done
ln -s bin /image/sbin
ln -s . /image/usr
echo 'root:x:0:0:root:/root:/bin/sh' >/image/etc/passwd`
  const image = withPackages(builder.root, ['busybox-static'])
    .withExec(['sh', '-euc', install])
    .directory('/image')
  return builder.client.container().withDirectory('/', image).withDefaultArgs(['sh'])
}
