import { oneOf } from '../../pipeline/facts/closed-set.js'
import { UserError } from '../../pipeline/facts/errors.js'
import type { EngineCommand } from '../engine.js'
import { declare, defineCommand } from '../terminal/command.js'

const engineCommands: readonly EngineCommand[] = ['up', 'status', 'down']

export const engine = defineCommand({
  flags: () =>
    declare(
      'engine',
      engineCommands.join('|'),
      'The embedded Dagger engine: built from Go modules, contained in namespaces of its own.',
    )
      .argument('[command]')
      .addHelpText(
        'after',
        `
  up       start it, unless it runs
  status   print whether it runs; exit status 1 when it does not
  down     stop it; caches stay`,
      ),
  request: (_values, _facts, words) => oneWord(words, engineCommands),
  load: () => import('../engine.js'),
})

/** The one word of a command that takes one. Throws a UserError. */
export function oneWord<T extends string>(words: readonly string[], allowed: readonly T[]): T {
  const [word, more] = words
  if (word === undefined) throw new UserError(`missing command: choose from ${allowed.join(', ')}`)
  const known = oneOf('command', word, allowed)
  if (more !== undefined) throw new UserError(`unexpected argument "${more}": see --help`)
  return known
}
