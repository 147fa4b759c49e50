const started = Date.now()
const running = new Map<string, number>()

/** Runs a named step and says on stderr when it starts and ends; live on a terminal, plain lines elsewhere. */
export async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  const since = Date.now()
  running.set(name, since)
  if (!process.stderr.isTTY) line(name)
  const ticker = process.stderr.isTTY ? setInterval(paint, 200) : undefined
  try {
    const result = await work()
    running.delete(name)
    line(`${name}: done in ${duration(Date.now() - since)}`)
    return result
  } finally {
    running.delete(name)
    clearInterval(ticker)
    paint()
  }
}

/** One line of progress. */
export function line(text: string): void {
  clear()
  process.stderr.write(`[${duration(Date.now() - started)}] ${text}\n`)
  paint()
}

/** The steps that run now, on the terminal's last line. */
function paint(): void {
  if (!process.stderr.isTTY) return
  clear()
  const now = Date.now()
  const steps = [...running].map(([name, since]) => `${name} ${duration(now - since)}`)
  process.stderr.write(steps.join(' · ').slice(0, (process.stderr.columns ?? 80) - 1))
}

function clear(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
}

/** Minutes and seconds of a time in milliseconds: `4:16`. */
export function duration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
