import type { Facts } from '../../pipeline/facts/schema.js'
import { makeBuildRequest } from '../../pipeline/plan/request.js'
import { declare, defineCommand, statuses } from '../terminal/command.js'
import { sharedFlags, withImageFlags } from './shared.js'

/** The flags of a build; other commands that build have them too. */
export function buildFlags(facts: Facts) {
  const flag = sharedFlags(facts)
  return withImageFlags(
    declare(
      'build',
      '--k8s <version> [options]',
      'Builds container images of the Kubernetes node components from source.',
    )
      .addOption(flag.k8s)
      .addOption(flag.arch),
    flag,
  )
    .addOption(flag.output)
    .addOption(flag.engine)
    .option(
      '--offline [bundle]',
      'use no network: all inputs come from a bundle, which the command inputs writes, or were fetched before (base static)',
    )
    .option('--plan', 'print what would be built, and stop')
    .addOption(flag.json)
    .addHelpText('after', statuses)
}

export const build = defineCommand({
  flags: buildFlags,
  request: makeBuildRequest,
  load: () => import('../build.js'),
})
