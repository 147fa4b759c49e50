import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BuildError } from '../facts/errors.js'
import { run } from '../host/process.js'
import { hasProgram } from '../host/tools.js'
import type { EngineKind } from '../plan/request.js'
import { binaryDirectory, buildBinaries, daggerVersion } from './compile.js'
import { startEmbedded } from './embedded.js'
import { addressOf, answers } from './probe.js'

/** An engine that is ready, and how the SDK is told of it. */
export interface Engine {
  kind: EngineKind
  /** For the user: which engine, and why this one. */
  description: string
  /** Variables that the Dagger SDK reads when it connects. */
  env: Record<string, string>
}

const runnerHost = '_EXPERIMENTAL_DAGGER_RUNNER_HOST'
const cliBinary = '_EXPERIMENTAL_DAGGER_CLI_BIN'

/**
 * Chooses an engine, or takes the one asked for: a runner that is already named in the environment, else a
 * Docker daemon that answers, else the embedded engine, which it starts. Throws a BuildError.
 */
export async function prepareEngine(asked?: EngineKind): Promise<Engine> {
  const runner = process.env[runnerHost]
  const kind = asked ?? (runner ? 'runner' : (await dockerAnswers()) ? 'docker' : 'embedded')
  switch (kind) {
    case 'runner':
      if (!runner) {
        throw new BuildError(`no runner: set ${runnerHost}, for example to tcp://HOST:PORT`)
      }
      await verifyRunner(runner)
      return {
        kind,
        description: `runner at ${runner}`,
        env: { [runnerHost]: runner, ...(await cli()) },
      }
    case 'docker':
      if (asked && !(await dockerAnswers())) {
        throw new BuildError('no Docker daemon answers: start it, or use --engine embedded')
      }
      return { kind, description: 'Docker, provisioned by the Dagger SDK', env: await cli() }
    case 'embedded': {
      const { address, binaries } = await startEmbedded()
      return {
        kind,
        description: `embedded, Dagger ${daggerVersion}`,
        env: { [runnerHost]: address, [cliBinary]: join(binaries, 'dagger') },
      }
    }
  }
}

/** Without this the SDK would try for minutes to reach a runner that is not there. */
async function verifyRunner(runner: string): Promise<void> {
  const address = URL.canParse(runner) ? addressOf(runner) : undefined
  if (address === undefined || (await answers(address))) return
  throw new BuildError(`no engine answers at ${runner}: check ${runnerHost}`)
}

async function dockerAnswers(): Promise<boolean> {
  if (!hasProgram('docker')) return false
  const info = await run('docker', ['info', '--format', '{{.ID}}'], { timeout: 5_000 })
  return info.status === 0 && info.stdout.trim() !== ''
}

/** The CLI that the SDK talks through: one given or built already; else the SDK downloads its own. */
async function cli(): Promise<Record<string, string>> {
  const given = process.env[cliBinary]
  if (given) return { [cliBinary]: given }
  const built = join(await binaryDirectory(), 'dagger')
  return existsSync(built) ? { [cliBinary]: built } : {}
}

/** The CLI compiled from its Go module, for machines that cannot download Dagger's own. */
export async function compiledCli(): Promise<Record<string, string>> {
  return { [cliBinary]: join(await buildBinaries(), 'dagger') }
}
