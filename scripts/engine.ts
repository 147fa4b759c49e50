import { runningEngine, startEmbedded, stopEmbedded } from '../pipeline/engine/embedded.js'

export type EngineCommand = 'up' | 'status' | 'down'

export default async function engine(command: EngineCommand): Promise<void> {
  process.stdout.write(`${await commands[command]()}\n`)
}

const commands: Record<EngineCommand, () => Promise<string>> = {
  async up() {
    const { pid, address } = await startEmbedded()
    return `running\tpid ${pid}\t${address}`
  },
  async status() {
    const engine = await runningEngine()
    if (engine === undefined) process.exitCode = 1
    return engine === undefined ? 'not running' : `running\tpid ${engine.pid}\t${engine.address}`
  },
  async down() {
    return (await stopEmbedded()) ? 'stopped' : 'not running'
  },
}
