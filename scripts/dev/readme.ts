import { readFile } from 'node:fs/promises'
import { replaceFiles } from '../../pipeline/host/files.js'
import { documents, variantsJsonSchema, withOutputs } from './documents.js'

export default async function readme(): Promise<void> {
  const contents: Record<string, string> = {}
  for (const file of documents) contents[file] = await withOutputs(await readFile(file, 'utf8'))
  await replaceFiles({ ...contents, 'variants.schema.json': variantsJsonSchema() })
}
