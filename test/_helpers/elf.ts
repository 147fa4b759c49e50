import { run } from './command.js'

/** What a program's headers say of it. */
export interface ElfFacts {
  /** As readelf names it. */
  machine: string
  interpreter?: string
  stripped: boolean
}

/** The headers of a file; nothing for a file that is no ELF program. */
export async function elfFacts(file: string): Promise<ElfFacts | undefined> {
  const flags = ['--wide', '--file-header', '--segments', '--sections', file]
  const { status, stdout } = await run('readelf', flags)
  const machine = /Machine: *(.*)/.exec(stdout)?.[1]
  if (status !== 0 || machine === undefined) return undefined
  const interpreter = /interpreter: (.*)\]/.exec(stdout)?.[1]
  return {
    machine,
    ...(interpreter !== undefined && { interpreter }),
    stripped: !stdout.includes('.symtab'),
  }
}
