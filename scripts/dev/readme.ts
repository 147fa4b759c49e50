import { readFile, rename, writeFile } from 'node:fs/promises'
import { exitWith } from '../terminal/run.js'
import { documents, withOutputs } from './documents.js'

/** Brings what the documents show of commands up to date. */
await exitWith(async () => {
  for (const file of documents) {
    const text = await withOutputs(await readFile(file, 'utf8'))
    await writeFile(`${file}.partial`, text)
    await rename(`${file}.partial`, file)
  }
})
