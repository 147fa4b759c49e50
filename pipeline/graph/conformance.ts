import type { Container, Directory } from '@dagger.io/dagger'
import { purposes } from '../inputs/lock.js'
import { type Builder, withPackages } from './builder.js'
import { imageFiles } from './files.js'

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
  const debian = debianRoot(builder)
  const root = builder.client
    .container()
    .withRootfs(debian)
    .withEnvVariable('PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin')
    .withDirectory('/', tests.directory('images/agnhost'))
    .withFile('/coredns', coredns.file('usr/local/bin/coredns'))
  const agnhost = root.withEntrypoint(['/agnhost']).withDefaultArgs(['pause'])
  return {
    agnhost,
    busybox: busyboxImage(builder, debian),
    httpd: root.withDefaultArgs(['apache2ctl', '-D', 'FOREGROUND']),
    'jessie-dnsutils': root.withDefaultArgs(['sleep', 'infinity']),
    nautilus: agnhost
      .withDirectory('/', tests.directory('images/nautilus'))
      .withDefaultArgs(['test-webserver']),
    nginx: root.withDefaultArgs(['nginx', '-g', 'daemon off;']),
  }
}

/** What upstream's images have from Alpine, and what the tests run in them, of locked Debian packages. */
function debianRoot(builder: Builder): Directory {
  const script = imageFiles(builder.client, 'conformance/', ['install.sh']).file('install.sh')
  return withPackages(builder, [purposes.conformance(builder.host)], '/image')
    .withMountedFile('/install.sh', script)
    .withExec(['sh', '/install.sh', '/image'])
    .directory('/image')
}

/** Debian's busybox, statically linked, and nothing else. */
function busyboxImage({ client, root }: Builder, debian: Directory): Container {
  const install = `mkdir -p /image/bin /image/etc /image/root
install --directory --mode=1777 /image/tmp
cp /debian/usr/bin/busybox /image/bin/
for applet in $(/image/bin/busybox --list); do
  [ "$applet" = busybox ] || ln -s busybox "/image/bin/$applet"
done
ln -s bin /image/sbin
ln -s . /image/usr
echo 'root:x:0:0:root:/root:/bin/sh' >/image/etc/passwd`
  const image = root
    .withMountedDirectory('/debian', debian)
    .withExec(['sh', '-euc', install])
    .directory('/image')
  return client.container().withDirectory('/', image).withDefaultArgs(['sh'])
}
