import { runningEngine, stopEmbedded } from '../../pipeline/engine/embedded.js'
import { start } from '../../pipeline/host/process.js'
import { exitWith } from '../terminal/run.js'

const unit = ['test/unit']
// One file after another: they share two cores and one engine.
const serial = ['--concurrency=1', '--timeout=90m']
const suites: Record<string, string[]> = {
  unit,
  all: [...unit, 'test/e2e', ...serial],
  full: [...unit, 'test/e2e', 'test/full', ...serial],
  // What days change, and no commit.
  nightly: ['test/nightly', ...serial],
}

/** Runs a suite with AVA and ends with the one line that CI reads: `N passed, N failed`. */
await exitWith(async () => {
  const [suite = 'all', ...more] = process.argv.slice(2)
  const args = ['node_modules/ava/entrypoints/cli.mjs', ...(suites[suite] ?? []), ...more]
  const wasRunning = (await runningEngine()) !== undefined
  const ava = start(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  ava.stdout?.on('data', (data: Buffer) => {
    output += data
    process.stdout.write(data)
  })
  const status = await new Promise((resolve) => ava.once('close', resolve))
  // The engine that a build starts stays up for the next one; tests leave things as they were.
  if (!wasRunning) await stopEmbedded()
  const marked = (mark: string) =>
    output.split('\n').filter((line) => line.trim().startsWith(mark)).length
  const passed = marked('✔')
  const skipped = Number(/^ *(\d+) tests? skipped/m.exec(output)?.[1] ?? 0)
  // What fails outside a test, such as a crash, has no mark of its own.
  const failed = status === 0 ? 0 : Math.max(1, marked('✘'))
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  process.exitCode = status === 0 ? 0 : 1
})
