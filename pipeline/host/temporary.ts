import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A new temporary directory with what it is for in its name; it is gone when this process has ended, however it ends. */
export function temporaryDirectory(purpose: string): string {
  const folder = mkdtempSync(join(tmpdir(), `kubelet-images-${purpose}-`))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}
