import { messageOf, UserError } from '../../pipeline/facts/errors.js'

/** Runs a script and turns what it throws into a message on stderr and the exit status. */
export async function exitWith(main: () => Promise<void>): Promise<void> {
  // Handlers on 'exit' clean up after an interrupt too.
  process.once('SIGINT', () => process.exit(130))
  process.once('SIGTERM', () => process.exit(143))
  try {
    await main()
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`)
    process.exitCode = error instanceof UserError ? 2 : 1
  }
}
