import { declare, defineCommand } from '../terminal/command.js'
import type { UpdateRequest } from '../update.js'

export const update = defineCommand({
  flags: () =>
    declare(
      'update',
      '[--inputs] [--check]',
      'Asks the Go module proxy for releases of Kubernetes that variants.json does not know, prints the newest of each minor and writes it there. A minor that is new needs an entry of its own: see docs/adding.md.',
    )
      .option(
        '--inputs',
        "ask Debian's and PyPI's indexes instead, print the packages that changed, and write inputs.lock.json; where the index of an architecture is not the one that its signature covers, the files of that architecture stay as they are",
      )
      .option('--check', 'only print'),
  request: ({ inputs = false, check = false }): UpdateRequest => ({ inputs, check }),
  load: () => import('../update.js'),
})
