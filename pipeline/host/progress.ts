import { oneOf } from '../facts/closed-set.js'

export const progressModes = ['auto', 'plain', 'tty', 'quiet'] as const
/** How progress is shown: live on a terminal, line by line, or not at all; `auto` looks whether stderr is a terminal. */
export type ProgressMode = (typeof progressModes)[number]

const started = Date.now()
const running = new Map<string, number>()
let mode: Exclude<ProgressMode, 'auto'> = process.stderr.isTTY ? 'tty' : 'plain'
let expected = 0
let ended = 0

/** Shows progress so from now on. Throws a UserError for what is no mode. */
export function showProgress(asked: string): void {
  const known = oneOf('progress', asked, progressModes)
  if (known !== 'auto') mode = known
}

/** Says how many steps are to come, so that each end can be counted. */
export function expectSteps(count: number): void {
  expected += count
}

/** Runs a named step and says on stderr when it starts and ends, and how: ✔ or ✘, after minutes and seconds. */
export async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  return timed(name, work, () => '')
}

/** A step that `expectSteps` counted. */
export async function countedStep<T>(name: string, work: () => Promise<T>): Promise<T> {
  return timed(name, work, () => `[${++ended}/${expected}] `)
}

async function timed<T>(name: string, work: () => Promise<T>, count: () => string): Promise<T> {
  const since = Date.now()
  running.set(name, since)
  if (mode === 'plain') line(name)
  const ticker = mode === 'tty' ? setInterval(paint, 200) : undefined
  const end = (mark: string) => {
    running.delete(name)
    line(`${count()}${name} ${mark} ${duration(Date.now() - since)}`)
  }
  try {
    const result = await work()
    end('✔')
    return result
  } catch (error) {
    end('✘')
    throw error
  } finally {
    clearInterval(ticker)
    paint()
  }
}

/** One line of progress. */
export function line(text: string): void {
  if (mode === 'quiet') return
  clear()
  process.stderr.write(`[${duration(Date.now() - started)}] ${text}\n`)
  paint()
}

/** The steps that run now, on the terminal's last line. */
function paint(): void {
  if (mode !== 'tty') return
  clear()
  const now = Date.now()
  const steps = [...running].map(([name, since]) => `${name} ${duration(now - since)}`)
  process.stderr.write(steps.join(' · ').slice(0, (process.stderr.columns ?? 80) - 1))
}

function clear(): void {
  if (mode === 'tty') process.stderr.write('\r\x1b[K')
}

/** Minutes and seconds of a time in milliseconds: `4:16`. */
export function duration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
