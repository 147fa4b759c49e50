import { readFile } from 'node:fs/promises'
import { buildLog } from '../../pipeline/engine/session.js'

/**
 * The steps that the engine ran in the last build, rather than took from its cache, as its log tells. A step that waits
 * for the same one of this build is told as done in no time.
 */
export async function stepsRun(): Promise<string[]> {
  const commands = new Map<string, string>()
  const ran: string[] = []
  for (const line of (await readFile(buildLog, 'utf8')).split('\n')) {
    const [, id = '', text = ''] = /^(\d+) +: (?:┆ )*(.*)$/.exec(line) ?? []
    if (text.startsWith('withExec ')) commands.set(id, text)
    const [, seconds] = /^Container\.withExec DONE \[(.*)s\]$/.exec(text) ?? []
    if (seconds !== undefined && seconds !== '0.0') ran.push(commands.get(id) ?? line)
  }
  return ran
}
