import { readFile, rename, writeFile } from 'node:fs/promises'
import { parseFlags } from '../../pipeline/plan/request.js'
import { exitWith } from '../terminal/run.js'
import { documents, withOutputs } from './documents.js'

/** Brings what the documents show of commands up to date. */
await exitWith(async () => {
  if (parseFlags(process.argv.slice(2), { help: { type: 'boolean' } }).help) {
    return void process.stdout.write(
      'Usage: npm run readme\n\nWrites anew what the documents show of commands.\n',
    )
  }
  for (const file of documents) {
    const text = await withOutputs(await readFile(file, 'utf8'))
    await writeFile(`${file}.partial`, text)
    await rename(`${file}.partial`, file)
  }
})
