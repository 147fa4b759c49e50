import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import semver from 'semver'
import { prepareBuilder } from '../../pipeline/build/debian-root.js'
import { prepareEngine } from '../../pipeline/engine/choose.js'
import { engineStep, withClient } from '../../pipeline/engine/session.js'
import { publishedComponents } from '../../pipeline/facts/published.js'
import type { Facts } from '../../pipeline/facts/schema.js'
import { programsFile } from '../../pipeline/graph/executables.js'
import { replaceFiles } from '../../pipeline/host/files.js'
import { line } from '../../pipeline/host/progress.js'
import { programsFolder, type ReleasePrograms } from '../../pipeline/plan/required-executables.js'

export interface ProgramsRequest {
  /** Kubernetes release. */
  version: string
  /** Directory of the list. */
  output?: string
}

export default async function programs(
  { version, output }: ProgramsRequest,
  facts: Facts,
): Promise<void> {
  const engine = await prepareEngine()
  line(`engine: ${engine.description}`)
  const found = await listPrograms(engine, facts, version)
  const file = join(output ?? fileURLToPath(programsFolder), `${version}.json`)
  await replaceFiles({ [file]: `${JSON.stringify(found, null, 2)}\n` })
  process.stdout.write(`${file}\n`)
}

function listPrograms(
  engine: Awaited<ReturnType<typeof prepareEngine>>,
  facts: Facts,
  release: string,
): Promise<ReleasePrograms> {
  const go = newestGo(facts)
  return withClient(engine, async (client) => {
    const builder = await prepareBuilder(client, facts)
    const found: ReleasePrograms = {}
    for (const [name, component] of publishedComponents(facts)) {
      if (component.kind !== 'kubernetes') continue
      const spec = { name, ...component, kubernetes: release, go }
      // A program can be part of several components; what it executes is the same.
      for (const program of component.programs.filter((one) => !(one in found))) {
        const label = `programs of ${program} ${release}`
        const file = programsFile(builder, spec, program)
        // One after another: each takes a few gigabytes of memory.
        found[program] = JSON.parse(await engineStep(label, () => file.contents()))
      }
    }
    return found
  })
}

/** The Go release that can load the source of every Kubernetes release. */
function newestGo({ kubernetes }: Facts): string {
  const releases = Object.values(kubernetes).flatMap(({ go }) => Object.values(go))
  return semver.rsort(releases)[0] as string
}
