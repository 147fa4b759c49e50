import { runningEngine, stopEmbedded } from '../../pipeline/engine/embedded.js'
import { run, start } from '../../pipeline/host/process.js'

export interface TestRequest {
  suite: 'unit' | 'all' | 'full' | 'nightly'
  /** Arguments of AVA. */
  ava: string[]
}

// One file after another: they share two cores and one engine.
const serial = ['--concurrency=1', '--timeout=90m']
const suites: Record<TestRequest['suite'], string[]> = {
  unit: ['test/unit'],
  all: ['test/unit', 'test/e2e', ...serial],
  full: ['test/unit', 'test/e2e', 'test/full', ...serial],
  // What days change, and no commit.
  nightly: ['test/nightly', ...serial],
}

/** What takes seconds and makes much of the rest pointless. */
const checks: Record<string, [string, ...string[]]> = {
  'lint and format': ['biome', 'check', '--error-on-warnings', '.'],
  types: ['tsc', '--noEmit'],
}

/** Runs a suite, and ends with the one line that CI reads: `N passed, N failed`. */
export default async function test({ suite, ava }: TestRequest): Promise<void> {
  const counts = await runChecks()
  // Without them a test says little.
  if (counts.failed === 0) {
    const wasRunning = (await runningEngine()) !== undefined
    addTo(counts, await runAva([...suites[suite], ...ava]))
    // The engine that a build starts stays up for the next one; tests leave things as they were.
    if (!wasRunning) await stopEmbedded()
  }
  const { passed, failed, skipped } = counts
  process.stdout.write(
    `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`,
  )
  process.exitCode = failed === 0 ? 0 : 1
}

interface Counts {
  passed: number
  failed: number
  skipped: number
}

function addTo(counts: Counts, more: Counts): void {
  counts.passed += more.passed
  counts.failed += more.failed
  counts.skipped += more.skipped
}

async function runChecks(): Promise<Counts> {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const [name, [program, ...args]] of Object.entries(checks)) {
    const { status, stdout, stderr } = await run(`node_modules/.bin/${program}`, args)
    if (status === 0) counts.passed++
    else counts.failed++
    process.stdout.write(status === 0 ? `ok - ${name}\n` : `not ok - ${name}\n${stdout}${stderr}`)
  }
  return counts
}

/** Counts what AVA's report for programs sums up at its end. https://testanything.org */
async function runAva(args: readonly string[]): Promise<Counts> {
  const command = ['node_modules/ava/entrypoints/cli.mjs', '--tap', ...args]
  const ava = start(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  ava.stdout?.on('data', (data: Buffer) => {
    output += data
    process.stdout.write(data)
  })
  const status = await new Promise((resolve) => ava.once('close', resolve))
  const count = (what: string) =>
    Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(output)?.[1] ?? 0)
  const failed = count('fail')
  // What fails outside a test may have no line of its own.
  return {
    passed: count('pass'),
    failed: status === 0 ? failed : Math.max(1, failed),
    skipped: count('skip'),
  }
}
