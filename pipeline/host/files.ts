import { rename, writeFile } from 'node:fs/promises'

/** Writes files beside their places first and renames them when all are written: whoever reads one sees the old or the new. */
export async function replaceFiles(contents: Readonly<Record<string, string>>): Promise<void> {
  for (const [file, content] of Object.entries(contents)) {
    await writeFile(`${file}.partial`, content)
  }
  for (const file of Object.keys(contents)) await rename(`${file}.partial`, file)
}
