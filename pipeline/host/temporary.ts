import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const prefix = 'kubelet-images-'

const folders: string[] = []

process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/**
 * A new temporary directory with what it is for in its name; it is gone when this process has ended. What processes left that were
 * killed goes first.
 */
export function temporaryDirectory(purpose: string): string {
  sweep(tmpdir(), new RegExp(`^${prefix}[a-z\\d-]+-(\\d+)-[^-]+$`))
  const folder = mkdtempSync(join(tmpdir(), `${prefix}${purpose}-${process.pid}-`))
  folders.push(folder)
  return folder
}

/** Removes what has the number of a process in its name, as the pattern's first group, that runs no more. */
export function sweep(folder: string, pattern: RegExp): void {
  for (const name of readdirSync(folder)) {
    const pid = Number(pattern.exec(name)?.[1] ?? process.pid)
    if (!runs(pid)) rmSync(join(folder, name), { recursive: true, force: true })
  }
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Another user's process runs too.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
