import { rmSync, statSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Client, Directory } from '@dagger.io/dagger'
import { table } from 'table'
import { imageLayers } from '../images/rootfs.js'
import { UserError } from '../pipeline/errors.js'
import type { Builder } from '../pipeline/graph/debian.js'
import { writeArchive } from '../pipeline/oci/archive.js'
import { type LayerFacts, layoutImage } from '../pipeline/oci/layout.js'
import { type ImageSpec, localRef, planImages } from '../pipeline/plan.js'
import { type Arch, platformOf } from '../pipeline/platform.js'
import { buildHelp, parseBuildRequest } from '../pipeline/request.js'
import { mergeSizes, type SizeRow, sizeRow } from '../pipeline/sizes.js'
import { loadVariants, type Variants } from '../pipeline/variants.js'
import { chooseBase, fetchPackages, type Mirror, prepareMirror } from './alpine.js'
import { prepareBuilder } from './builder-root.js'
import { prepareEngine } from './engine/engine.js'
import { engineStep, withClient } from './engine/session.js'
import { exitWith } from './exit.js'
import { line } from './progress.js'
import { verifyPublished } from './published.js'

await exitWith(async () => {
  const facts = loadVariants()
  const request = parseBuildRequest(process.argv.slice(2), facts)
  if (request === 'help') return print(buildHelp)
  const output = resolve(request.output)
  verifyOutput(output)
  const base = await chooseBase(request, facts)
  const specs = planImages({ ...request, base }, facts)
  await verifyPublished(request.kubernetes, facts)
  if (request.plan) return print(request.json ? json(specs) : planTable(specs))
  const mirror = await prepareMirror(request, facts, specs)

  const engine = await prepareEngine(request.engine)
  line(`engine: ${engine.description}`)
  const rows = await withClient(engine, (client) =>
    buildImages(client, facts, specs, mirror, output),
  )
  print(request.json ? json(rows) : sizeTable(rows))
})

function verifyOutput(output: string): void {
  const found = statSync(output, { throwIfNoEntry: false })
  if (found === undefined || found.isDirectory()) return
  throw new UserError(`--output ${output} is a file: name a directory, there or not`)
}

/** Builds into a directory beside the results and moves them in place when all of them are there. */
async function buildImages(
  client: Client,
  facts: Variants,
  specs: readonly ImageSpec[],
  mirror: Mirror | undefined,
  output: string,
): Promise<SizeRow[]> {
  const builder = await prepareBuilder(client, facts.sources)
  const staging = join(output, `.staging-${process.pid}`)
  await mkdir(staging, { recursive: true })
  // However the build ends: done, failed or interrupted.
  process.once('exit', () => rmSync(staging, { recursive: true, force: true }))
  const rows: SizeRow[] = []
  const files: string[] = []
  for (const spec of specs) {
    const folder = join(staging, `${spec.archive}-packages`)
    const packages = mirror && (await fetchPackages({ builder, facts, spec, mirror }, folder))
    if (packages) {
      const name = spec.archive.replace(/\.oci\.tar$/, '.lock.json')
      await writeFile(join(staging, name), json(packages.lock))
      files.push(name)
    }
    rows.push(...(await buildImage(builder, facts, spec, staging, packages?.directory)))
    files.push(spec.archive)
  }
  const sizes = join(output, 'sizes.json')
  const merged = mergeSizes(await readSizes(sizes), rows)
  await writeFile(join(staging, 'sizes.json'), json(merged))
  for (const file of files) await rename(join(staging, file), join(output, file))
  await rename(join(staging, 'sizes.json'), sizes)
  return rows
}

/** Builds one image for all its architectures and writes its archive. */
async function buildImage(
  builder: Builder,
  facts: Variants,
  spec: ImageSpec,
  staging: string,
  packages?: Directory,
): Promise<SizeRow[]> {
  const files = new Map<string, string>()
  const layers = new Map<Arch, LayerFacts[]>()
  for (const arch of spec.arches) {
    const folders = imageLayers(builder, facts, spec, arch, packages).map(
      ({ name, directory }, i) => {
        const label = `${spec.image} ${spec.tag} ${platformOf(arch).platform}: ${name}`
        const folder = join(staging, `${spec.image}-${spec.tag}-${arch}-${i}`)
        return engineStep(label, () => directory.export(folder))
      },
    )
    const stack: LayerFacts[] = []
    for (const folder of await Promise.all(folders)) {
      const layer = JSON.parse(await readFile(join(folder, 'layer.json'), 'utf8')) as LayerFacts
      files.set(layer.digest, join(folder, 'layer'))
      stack.push(layer)
    }
    layers.set(arch, stack)
  }
  const layout = layoutImage({ ref: localRef(spec), ...spec }, layers)
  await writeArchive(join(staging, spec.archive), layout, files)
  return [...layers].map(([arch, stack]) =>
    sizeRow(spec, arch, stack, layout.manifests.get(arch) as string),
  )
}

async function readSizes(file: string): Promise<SizeRow[]> {
  const text = await readFile(file, 'utf8').catch(() => '[]')
  return JSON.parse(text) as SizeRow[]
}

function print(result: string): void {
  process.stdout.write(result)
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

function planTable(specs: readonly ImageSpec[]): string {
  const rows = specs.map((spec) => [
    `${spec.image}:${spec.tag}`,
    spec.platforms.join(', '),
    spec.compression,
    `go${spec.components[0]?.go}`,
    spec.archive,
  ])
  return table([['image', 'platforms', 'compression', 'Go', 'archive'], ...rows])
}

function sizeTable(rows: readonly SizeRow[]): string {
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`
  const cells = rows.map((row) => [
    `${row.image}:${row.tag}`,
    row.arch,
    `${megabytes(row.compressed)} (${row.compression})`,
    megabytes(row.extracted),
    row.digest,
  ])
  return table([['image', 'arch', 'compressed', 'extracted', 'digest'], ...cells])
}
