import { makeBuildRequest, missingRelease } from '../../pipeline/plan/request.js'
import type { InputsRequest } from '../inputs.js'
import { declare, defineCommand, statuses } from '../terminal/command.js'
import { oneWord } from './engine.js'
import { sharedFlags } from './shared.js'

const inputsCommands: readonly InputsRequest['command'][] = ['list', 'fetch', 'verify', 'bundle']

export const inputs = defineCommand({
  flags(facts) {
    const flag = sharedFlags(facts)
    return declare(
      'inputs',
      `${inputsCommands.join('|')} [options]`,
      'The files from outside that builds are made of, as inputs.lock.json names them: those that a build needs on this machine, or all of them where no --k8s is given.',
    )
      .argument('[command]')
      .addOption(flag.k8s)
      .addOption(flag.arch)
      .addOption(flag.image)
      .addOption(flag.variant)
      .addOption(flag.base)
      .addOption(flag.output)
      .addOption(flag.json)
      .addHelpText(
        'after',
        `
  list     print them; as JSON with --json
  fetch    fetch those that are not in the cache
  verify   compare those in the cache with the lock; exit status 1 where one is missing or damaged
  bundle   write them, all Go modules and toolchains, and the packages of npm, into one archive in the directory
           that --output names, for npm run build -- --offline BUNDLE on machines of this architecture
${statuses}`,
      )
  },
  request({ json = false, ...values }, facts, words): InputsRequest {
    const command = oneWord(words, inputsCommands)
    const flags = Object.keys(values)
    if (values.k8s === undefined && (flags.length > 0 || command === 'bundle')) {
      throw missingRelease()
    }
    const build = values.k8s === undefined ? undefined : makeBuildRequest(values, facts)
    return { command, json, ...(build && { build }) }
  },
  load: () => import('../inputs.js'),
})
