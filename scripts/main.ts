import { inspect } from 'node:util'
import { CommanderError } from '@commander-js/extra-typings'
import { notAllowed } from '../pipeline/facts/closed-set.js'
import { messageOf, UserError } from '../pipeline/facts/errors.js'
import { loadFacts } from '../pipeline/facts/load.js'
import { commands, listCommands } from './commands.js'
import { longFlags } from './terminal/command.js'
import { verifyNothingKept } from './terminal/npm.js'

/** Runs the command that the first argument names; ends with a message on stderr and the exit status. */
export async function main(args: readonly string[]): Promise<void> {
  const [name, ...rest] = args
  // Handlers on 'exit' clean up after an interrupt too, and after a terminal that went away.
  for (const [signal, number] of [
    ['SIGHUP', 1],
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const) {
    process.once(signal, () => process.exit(128 + number))
  }
  try {
    const facts = loadFacts()
    if (name === undefined || name === '--help' || name === '-h') {
      process.stdout.write(await listCommands(facts))
      return
    }
    const load = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (load === undefined) throw notAllowed('command', name, Object.keys(commands))
    const command = await load()
    verifyNothingKept(name, longFlags(command.flags(facts)), process.env)
    await command.run(rest, facts)
  } catch (error) {
    // Help was asked for, and printed.
    if (error instanceof CommanderError && error.exitCode === 0) return
    const text = rest.includes('--debug') ? inspect(error) : messageOf(error)
    process.stderr.write(`${text}\n`)
    process.exitCode = error instanceof UserError ? 2 : 1
  }
}
