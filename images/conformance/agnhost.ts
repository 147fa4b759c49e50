import type { Container, Directory } from '@dagger.io/dagger'
import { type Builder, withPackages } from '../../pipeline/graph/debian.js'

// What upstream's image has from Alpine, and what the tests run in it.
const packages = ['bash', 'bind9-dnsutils', 'curl', 'iperf', 'iproute2', 'netcat-openbsd', 'procps']

/** The image that pods of Kubernetes' tests are made of, test/images/agnhost, on Debian instead of Alpine. Lazy. */
export function agnhostImage(
  builder: Builder,
  conformance: Directory,
  coredns: Directory,
): Container {
  return withPackages(builder.root, packages)
    .withFile('/agnhost', conformance.file('agnhost'))
    .withFile('/coredns', coredns.file('usr/local/bin/coredns'))
    .withExec(['sh', '-c', 'ln -s agnhost /agnhost-2 && mkdir /uploads'])
    .withEntrypoint(['/agnhost'])
    .withDefaultArgs(['pause'])
}
