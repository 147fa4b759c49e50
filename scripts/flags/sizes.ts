import { makeSizesRequest } from '../../pipeline/sizes/request.js'
import { declare, defineCommand, statuses } from '../terminal/command.js'
import { sharedFlags } from './shared.js'

export const sizes = defineCommand({
  flags(facts) {
    const flag = sharedFlags(facts)
    return declare(
      'sizes',
      '[options]',
      "Puts the sizes of the images in --output, which --k8s builds first, into the README's matrix, its chart and the data of both.",
    )
      .addOption(flag.output)
      .option(
        '--why <image>',
        'show where the bytes of an image are instead: by layer, file and, in Go programs, module',
      )
      .option(
        '--diff <two...>',
        'show what grew and shrank between two directories, or two archives in them, instead',
      )
      .addOption(flag.k8s)
      .addOption(flag.arch)
      .addOption(flag.image)
      .addOption(flag.variant)
      .addOption(flag.base)
      .addOption(flag.compression)
      .addOption(flag.engine)
      .option('--json', 'print everything as JSON instead of a table of what counts')
      .addHelpText(
        'after',
        `
--why needs --arch, takes --variant (default: base), and --k8s and --base where --output has several.
${statuses}`,
      )
  },
  request: makeSizesRequest,
  load: () => import('../sizes.js'),
})
