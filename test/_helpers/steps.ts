import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { logDirectory } from '../../pipeline/host/paths.js'

/** The log of the last build, whichever process it was. */
export async function lastBuildLog(): Promise<string> {
  // The names sort by time.
  const logs = (await readdir(logDirectory)).filter((name) => name.startsWith('build-')).sort()
  return readFile(join(logDirectory, logs.at(-1) as string), 'utf8')
}

/**
 * The steps that the engine ran in the last build, rather than took from its cache, as its log tells. A step that waits
 * for the same one of this build is told as done in no time.
 */
export async function stepsRun(): Promise<string[]> {
  const commands = new Map<string, string>()
  const ran: string[] = []
  for (const line of (await lastBuildLog()).split('\n')) {
    const [, id = '', text = ''] = /^(\d+) +: (?:┆ )*(.*)$/.exec(line) ?? []
    if (text.startsWith('withExec ')) commands.set(id, text)
    const [, seconds] = /^Container\.withExec DONE \[(.*)s\]$/.exec(text) ?? []
    if (seconds !== undefined && seconds !== '0.0') ran.push(commands.get(id) ?? line)
  }
  return ran
}
