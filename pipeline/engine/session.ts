import { createWriteStream } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Client, connect, ExecError } from '@dagger.io/dagger'
import { BuildError, messageOf } from '../facts/errors.js'
import { logDirectory } from '../host/paths.js'
import { line, step } from '../host/progress.js'
import { compiledCli, type Engine } from './choose.js'
import { networkOf } from './network.js'

// One for each run, which another run does not write over; so many are kept.
const keptLogs = 20
const logName = `build-${new Date().toISOString().replaceAll(/[:.]/g, '-')}-${process.pid}.log`

/** The full log of what this process does on an engine. */
export const buildLog = join(logDirectory, logName)

/** Runs `work` on one connection to the engine; the engine's own log goes to a file. */
export async function withClient<T>(
  engine: Engine,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  await mkdir(logDirectory, { recursive: true })
  await removeOldLogs()
  line(`log: ${buildLog}`)
  Object.assign(process.env, engine.env, networkOf(process.env).client, {
    DAGGER_NO_NAG: '1',
    DO_NOT_TRACK: '1',
    NO_COLOR: '1',
  })
  try {
    return await session(work)
  } catch (error) {
    // The SDK hands its own errors on as text only.
    if (!messageOf(error).includes('InitEngineSessionBinaryError')) throw error
    Object.assign(process.env, await compiledCli())
    return await session(work)
  }
}

async function removeOldLogs(): Promise<void> {
  const names = (await readdir(logDirectory)).filter((name) => name.startsWith('build-'))
  const old = names.sort().slice(0, -keptLogs)
  await Promise.all(old.map((name) => rm(join(logDirectory, name), { force: true })))
}

async function session<T>(work: (client: Client) => Promise<T>): Promise<T> {
  // Never ended: the SDK's own program may write to it after the connection is closed, until this process ends.
  const log = createWriteStream(buildLog).on('error', () => {})
  let outcome: { value: T } | { error: unknown } | undefined
  try {
    await connect(
      async (client) => {
        // The SDK wraps what the callback throws into a text; it is kept as it is here.
        outcome = await work(client).then(
          (value) => ({ value }),
          (error: unknown) => ({ error }),
        )
      },
      { LogOutput: log },
    )
  } catch (error) {
    if (outcome === undefined) throw error
  }
  if (outcome === undefined) throw new BuildError('the engine ended the connection')
  if ('error' in outcome) throw outcome.error
  return outcome.value
}

/** Runs a named step of the engine; throws a BuildError that describes its failure. `run` may count it. */
export function engineStep<T>(
  label: string,
  work: () => Promise<T>,
  run: typeof step = step,
): Promise<T> {
  return run(label, work).catch((error) => {
    throw describeFailure(label, error)
  })
}

/** A failed step as the user wants to see it: the command, its exit code and the end of its stderr. */
export function describeFailure(label: string, error: unknown): BuildError {
  const cause = causeOf(error)
  if (!(cause instanceof ExecError)) {
    // The SDK's GraphQL client adds the whole query and answer to what the engine says.
    const [message] = messageOf(cause).split(': {"response":')
    return new BuildError(`${label}: ${message} (full log: ${buildLog})`, { cause: error })
  }
  const command = cause.cmd.map((word) => word.split('\n', 1)[0]).join(' ')
  const end = `${cause.stdout}\n${cause.stderr}`.trimEnd().split('\n').slice(-20)
  return new BuildError(
    [`${label}: exit code ${cause.exitCode} of: ${command}`, ...end, `full log: ${buildLog}`].join(
      '\n',
    ),
    { cause: error },
  )
}

/** What the engine says, out of what the SDK wraps it in. */
export function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? error.cause : error
}
