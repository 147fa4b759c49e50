import { messageOf } from '../facts/errors.js'

/** One thing that was checked, with its time in seconds. */
export interface Check {
  check: string
  passed: boolean
  seconds: number
  /** What was seen. */
  detail?: string
}

/** What a run checks, step by step: a line on stdout for each, as soon as it is known. */
export class Report {
  readonly checks: Check[] = []

  constructor(private readonly print: (line: string) => void) {}

  /** Reports what was checked elsewhere. */
  add(check: Check): void {
    const { check: title, passed, seconds, detail } = check
    this.checks.push(check)
    const seen = passed && detail !== undefined ? `: ${detail}` : ''
    this.print(`${passed ? '✔' : '✘'} ${title}${seen} (${seconds.toFixed(1)} s)`)
  }

  /**
   * Runs one check; what it gives is told as what was seen, if it is a text or `tell` makes it one.
   * Throws what the check throws, after it was reported.
   */
  async check<T>(
    title: string,
    work: () => Promise<T>,
    tell = (result: T) => (typeof result === 'string' ? result : undefined),
  ): Promise<T> {
    const started = Date.now()
    const done = (passed: boolean, detail: string | undefined) => {
      const seconds = Math.round((Date.now() - started) / 100) / 10
      this.add({ check: title, passed, seconds, ...(detail !== undefined && { detail }) })
    }
    try {
      const result = await work()
      done(true, tell(result))
      return result
    } catch (error) {
      done(false, messageOf(error))
      throw error
    }
  }
}

/** The part of a text that a check is about. Throws when it is not there. */
export function matching(text: string, pattern: RegExp): string {
  const found = pattern.exec(text)
  if (found === null) throw new Error(`expected ${pattern}, got:\n${text}`)
  return found[0]
}
