import { makeReleaseRequest } from '../../pipeline/release/request.js'
import { declare, defineCommand, statuses } from '../terminal/command.js'
import { sharedFlags, withImageFlags } from './shared.js'

export const release = defineCommand({
  flags(facts) {
    const flag = sharedFlags(facts)
    // An index has every architecture: there is no --arch.
    return withImageFlags(
      declare(
        'release',
        '--k8s <version> --registry <host/namespace> [options]',
        'Builds every image of a release and pushes it as HOST/NAMESPACE/IMAGE:TAG, with the blobs of its archive: what is there already is not pushed again, and all tags are moved at the end, or none.',
      )
        .addOption(flag.k8s)
        .option('--registry <place>', 'where the images go, for example registry.example.org/nodes')
        .option('--dry-run', 'build, print what would be pushed, and ask no registry')
        .option(
          '--shard <i/n>',
          'build and push part I of N, without tags; what was pushed is noted in --output',
        )
        .option('--tags', 'build nothing: move the tags of what every shard has noted in --output')
        .option(
          '--notes <file>',
          "write notes of the release in Markdown: digests, and sizes beside the original's",
        )
        .option('--plain-http', 'allow HTTP without TLS to another machine'),
      flag,
    )
      .addOption(flag.output)
      .addOption(flag.engine)
      .addOption(flag.json)
      .addHelpText(
        'after',
        `
A base that cannot be reached is an error here. Credentials come from REGISTRY_USERNAME and REGISTRY_PASSWORD, else from
Docker's configuration and its credential helpers; SSL_CERT_FILE names other certificate authorities than the system's.
${statuses}`,
      )
  },
  request: makeReleaseRequest,
  load: () => import('../release.js'),
})
