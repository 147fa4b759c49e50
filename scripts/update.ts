import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { listPublished } from '../pipeline/build/releases.js'
import { variantsFile } from '../pipeline/facts/load.js'
import type { Facts } from '../pipeline/facts/schema.js'
import { replaceFiles } from '../pipeline/host/files.js'
import { line } from '../pipeline/host/progress.js'
import { loadLock, lockFile, printLock } from '../pipeline/inputs/lock.js'
import { makeLock } from '../pipeline/inputs/make-lock.js'
import { newsOf, withNewest } from '../pipeline/plan/update.js'

export interface UpdateRequest {
  /** The lock, instead of releases of Kubernetes. */
  inputs: boolean
  /** Print, and write nothing. */
  check: boolean
}

export default async function update(request: UpdateRequest, facts: Facts): Promise<void> {
  if (request.inputs) return updateInputs(facts, request.check)
  const published = await listPublished()
  const { releases, minors } = newsOf(published, facts)
  for (const release of releases) process.stdout.write(`${release}\n`)
  for (const minor of minors) {
    process.stderr.write(`${minor} is of a minor that variants.json does not have\n`)
  }
  if (request.check || releases.length === 0) return
  const text = withNewest(await readFile(variantsFile, 'utf8'), releases, facts)
  await replaceFiles({ [fileURLToPath(variantsFile)]: text })
}

async function updateInputs(facts: Facts, check: boolean): Promise<void> {
  const earlier = existsSync(lockFile) ? loadLock() : undefined
  const { lock, changes, warnings } = await makeLock(facts, earlier, line)
  for (const change of changes) process.stdout.write(`${change}\n`)
  for (const warning of warnings) process.stderr.write(`${warning}\n`)
  if (check || changes.length === 0) return
  await replaceFiles({ [fileURLToPath(lockFile)]: printLock(lock) })
}
