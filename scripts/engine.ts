import { parseArgs } from 'node:util'
import { runningEngine, startEmbedded, stopEmbedded } from '../pipeline/engine/embedded.js'
import { notAllowed } from '../pipeline/facts/closed-set.js'
import { UserError } from '../pipeline/facts/errors.js'
import { exitWith } from './terminal/run.js'

const help = `Usage: npm run engine -- up|status|down

The embedded Dagger engine: built from Go modules, contained in namespaces of its own.

  up       start it, unless it runs
  status   print whether it runs; exit status 1 when it does not
  down     stop it; caches stay
`

const commands = {
  async up() {
    const { pid, address } = await startEmbedded()
    console.log(`running\tpid ${pid}\t${address}`)
  },
  async status() {
    const engine = await runningEngine()
    if (engine === undefined) process.exitCode = 1
    console.log(
      engine === undefined ? 'not running' : `running\tpid ${engine.pid}\t${engine.address}`,
    )
  },
  async down() {
    console.log((await stopEmbedded()) ? 'stopped' : 'not running')
  },
}

await exitWith(async () => {
  const args = process.argv.slice(2)
  if (args.includes('--help')) return console.log(help)
  const [command, ...more] = parseArgs({ args, allowPositionals: true, strict: false }).positionals
  const allowed = Object.keys(commands)
  if (command === undefined)
    throw new UserError(`missing command: choose from ${allowed.join(', ')}`)
  if (!(command in commands)) throw notAllowed('command', command, allowed)
  if (more.length > 0 || args.length > 1)
    throw new UserError(`unexpected argument "${args[1]}": see --help`)
  await commands[command as keyof typeof commands]()
})
