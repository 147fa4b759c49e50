import { UserError } from '../../pipeline/facts/errors.js'

/** Flags of ours that npm has too, so that they may be in its environment for reasons of their own. */
const ofNpm = ['--json', '--offline']

/**
 * Throws a UserError where flags of a command were given to npm instead, which keeps those that stand before a `--` for itself
 * and notes them in its environment. https://docs.npmjs.com/cli/v10/using-npm/config#environment-variables
 */
export function verifyNothingKept(
  name: string,
  flags: readonly string[],
  env: NodeJS.ProcessEnv,
): void {
  const kept = flags.filter(
    (flag) =>
      !ofNpm.includes(flag) &&
      env[`npm_config_${flag.slice(2).replaceAll('-', '_')}`] !== undefined,
  )
  if (kept.length === 0) return
  // Which of the words that follow were values, npm alone knew.
  throw new UserError(
    `npm has kept ${kept.join(' ')} for itself: write -- before the first flag, npm run ${name} -- ${kept[0]} ...`,
  )
}
