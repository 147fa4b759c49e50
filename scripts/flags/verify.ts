import { makeBuildRequest } from '../../pipeline/plan/request.js'
import { declare, defineCommand } from '../terminal/command.js'
import type { VerifyRequest } from '../verify.js'
import { sharedFlags, withImageFlags } from './shared.js'

export const verify = defineCommand({
  flags(facts) {
    const flag = sharedFlags(facts)
    return withImageFlags(
      declare(
        'verify',
        '--k8s <version> [options]',
        'Builds images and compares their digests with those of a second build: on an embedded engine of its own, with empty caches. Where they differ, it names the files that do. The second build takes the time of a first one.',
      )
        .option(
          '--recorded',
          "build once, and compare with the digests that pipeline/sizes/data/measured.json has for this checkout's lock",
        )
        .addOption(flag.k8s)
        .addOption(flag.arch),
      flag,
    )
      .addOption(flag.engine)
      .addHelpText(
        'after',
        '\nExit status: 0 they are the same, 1 they differ or a build failed, 2 the request was wrong.',
      )
  },
  request: ({ recorded = false, ...values }, facts): VerifyRequest => ({
    recorded,
    values,
    build: makeBuildRequest(values, facts),
  }),
  load: () => import('../verify.js'),
})
