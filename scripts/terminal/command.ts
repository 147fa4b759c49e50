import {
  Command,
  CommanderError,
  type CommandUnknownOpts,
  Option,
} from '@commander-js/extra-typings'
import { nearMiss, notAllowed } from '../../pipeline/facts/closed-set.js'
import { UserError } from '../../pipeline/facts/errors.js'
import type { Facts } from '../../pipeline/facts/schema.js'
import { showProgress } from '../../pipeline/host/progress.js'

interface Definition<Declared extends CommandUnknownOpts, Request> {
  /** The flags: what they are called, take, mean and are left out for, each said once. */
  flags(facts: Facts): Declared
  /** Checks every word of what was given. Throws a UserError. */
  request(values: ReturnType<Declared['opts']>, facts: Facts, words: readonly string[]): Request
  /** What does the work, loaded only when there is some: help must be there at once. */
  load(): Promise<{ default: (request: Request, facts: Facts) => Promise<void> }>
}

/** A command of this project, whatever its flags are. */
export interface CommandLine {
  flags(facts: Facts): CommandUnknownOpts
  /** Reads arguments. Throws a UserError, or a CommanderError with exitCode 0 where help was printed. */
  parse(args: readonly string[], facts: Facts): unknown
  run(args: readonly string[], facts: Facts): Promise<void>
}

/** Ties the flags of a command to the request they make and to what is done about it. */
export function defineCommand<Declared extends CommandUnknownOpts, Request>(
  definition: Definition<Declared, Request>,
): CommandLine & { parse(args: readonly string[], facts: Facts): Request } {
  const { flags, request, load } = definition
  const parse = (args: readonly string[], facts: Facts) => {
    const command = flags(facts)
    readArguments(command, args)
    const { debug: _, progress = 'auto', ...values } = command.opts()
    showProgress(String(progress))
    return request(values as ReturnType<Declared['opts']>, facts, command.args)
  }
  return {
    flags,
    parse,
    async run(args, facts) {
      const asked = parse(args, facts)
      const { default: work } = await load()
      await work(asked, facts)
    },
  }
}

/** The beginning of a declaration; every command has --debug and --progress, which `npx kubelet-images` tells. `usage` is what follows the command's name. */
export function declare(name: string, usage: string, description: string) {
  return new Command(`npm run ${name} --`)
    .usage(usage)
    .description(description)
    .helpOption('-h, --help', 'print this text')
    .configureHelp({ helpWidth: 110 })
    .configureOutput({ writeErr: () => {} })
    .exitOverride()
    .allowExcessArguments()
    .showSuggestionAfterError(false)
    .addOption(new Option('--debug').hideHelp())
    .addOption(new Option('--progress <how>').hideHelp())
}

/** What every command's help ends with. */
export const statuses =
  '\nLIST is comma-separated. Results go to stdout, progress to stderr.\nExit status: 0 done, 1 it failed, 2 the request was wrong.'

/** Reads a LIST; a flag that is given again adds to it. */
export function list(text: string, before: string[] = []): string[] {
  return [...before, ...text.split(',').map((word) => word.trim())]
}

/** Reads a flag that may be given again, whose value is whatever it is. */
export function repeated(text: string, before: string[] = []): string[] {
  return [...before, text]
}

/** The flags that a command's help names. */
export function longFlags(command: CommandUnknownOpts): string[] {
  return command.options.filter(({ hidden }) => !hidden).map(({ long }) => long as string)
}

function readArguments(command: CommandUnknownOpts, args: readonly string[]): void {
  const flags = longFlags(command)
  for (const [i, arg] of args.entries()) {
    const option = command.options.find(({ long }) => long === arg)
    const next = args[i + 1]
    // What looks like a flag is one: a value that was forgotten must not swallow it.
    if (option?.required && (next === undefined || next.startsWith('--'))) {
      throw new UserError(`${arg} needs a value: write ${option.flags}`)
    }
  }
  try {
    command.parse([...args], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError) || error.exitCode === 0) throw error
    throw tellSlip(error, [...flags, '--debug', '--progress', '--help'])
  }
  const [word] = command.args
  if (word === undefined || command.registeredArguments.length > 0) return
  const meant = nearMiss(`--${word}`, flags)
  const hint = meant === undefined ? '' : ` Did you mean ${meant}?`
  throw new UserError(`unexpected argument "${word}": every argument is a flag; see --help.${hint}`)
}

function tellSlip({ message }: CommanderError, flags: readonly string[]): UserError {
  const flag = /unknown option '(.*)'/.exec(message)?.[1]?.split('=', 1)[0]
  if (flag === undefined) return new UserError(`${message.replace(/^error: /, '')}; see --help`)
  if (flags.includes(flag)) return new UserError(`${flag} takes no value: write it alone`)
  return notAllowed('flag', flag, flags)
}
