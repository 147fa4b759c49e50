import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import semver from 'semver'
import { prepareBuilder } from '../../pipeline/build/debian-root.js'
import { prepareEngine } from '../../pipeline/engine/choose.js'
import { engineStep, withClient } from '../../pipeline/engine/session.js'
import { messageOf, UserError } from '../../pipeline/facts/errors.js'
import { parseKubernetesVersion } from '../../pipeline/facts/kubernetes-version.js'
import { loadVariants, publishedComponents, type Variants } from '../../pipeline/facts/load.js'
import { programsFile } from '../../pipeline/graph/executables.js'
import { line } from '../../pipeline/host/progress.js'
import { programsFolder, type ReleasePrograms } from '../../pipeline/plan/required-executables.js'
import { exitWith } from '../terminal/run.js'

const help = `Usage: npm run programs -- --k8s VERSION [--output DIR]

Lists the programs that kubelet, kubeadm and kube-proxy of a release can execute, from its source, in
DIR/RELEASE.json (default: pipeline/facts/executables). npm run test:unit then tells which of them no image has.
`

await exitWith(async () => {
  const facts = loadVariants()
  const given = parseFlags(process.argv.slice(2))
  if (given.help) {
    process.stdout.write(help)
    return
  }
  if (given.k8s === undefined) throw new UserError('missing --k8s: name the Kubernetes release')
  const { version } = parseKubernetesVersion(given.k8s, Object.keys(facts.kubernetes))
  const engine = await prepareEngine()
  line(`engine: ${engine.description}`)
  const programs = await listPrograms(engine, facts, version)
  const file = join(given.output ?? fileURLToPath(programsFolder), `${version}.json`)
  await writeFile(file, `${JSON.stringify(programs, null, 2)}\n`)
  process.stdout.write(`${file}\n`)
})

function parseFlags(args: string[]) {
  const text = { type: 'string' } as const
  const options = { k8s: text, output: text, help: { type: 'boolean' } } as const
  try {
    return parseArgs({ args, options }).values
  } catch (error) {
    throw new UserError(`${messageOf(error).split('\n')[0]}; see --help`, { cause: error })
  }
}

function listPrograms(
  engine: Awaited<ReturnType<typeof prepareEngine>>,
  facts: Variants,
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
function newestGo({ kubernetes }: Variants): string {
  const releases = Object.values(kubernetes).flatMap(({ go }) => Object.values(go))
  return semver.rsort(releases)[0] as string
}
