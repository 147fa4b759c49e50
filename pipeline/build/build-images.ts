import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Client, Directory } from '@dagger.io/dagger'
import { engineStep } from '../engine/session.js'
import { BuildError, UserError } from '../facts/errors.js'
import { parseKubernetesVersion } from '../facts/kubernetes-version.js'
import { type Arch, platformOf } from '../facts/platform.js'
import type { Facts } from '../facts/schema.js'
import type { Builder } from '../graph/builder.js'
import { imageLayers } from '../graph/image.js'
import { releaseTime } from '../graph/kubernetes.js'
import { withLock } from '../host/lock.js'
import { cacheDirectory } from '../host/paths.js'
import { countedStep, expectSteps, line } from '../host/progress.js'
import { sweep } from '../host/temporary.js'
import { purposesOf } from '../inputs/needed.js'
import { type LayerFacts, layoutImage } from '../oci/layout.js'
import { writeArchive } from '../oci/write.js'
import { planComponent } from '../plan/components.js'
import { type ImageSpec, type KubernetesComponent, layerNames, localRef } from '../plan/spec.js'
import { overBudget } from '../sizes/budget.js'
import { loadMeasured } from '../sizes/figures.js'
import { type LayeredRow, layerSizes, mergeSizes, type SizeRow, sizeRow } from '../sizes/rows.js'
import { fetchPackages, type Mirror } from './alpine-mirror.js'
import { prepareBuilder } from './debian-root.js'

/**
 * Builds images on the engine: their archives, locks and `sizes.json` in the directory `output`. They are made in a
 * directory beside them and moved in place when all of them are there. Throws a BuildError.
 */
export async function buildImages(
  client: Client,
  facts: Facts,
  specs: readonly ImageSpec[],
  mirror: Mirror | undefined,
  output: string,
): Promise<SizeRow[]> {
  const builder = await prepareBuilder(client, facts, (host) => purposesOf(specs, facts, host))
  await mkdir(output, { recursive: true })
  // What builds left that were killed.
  sweep(output, /^\.staging-(\d+)$/)
  const staging = join(output, `.staging-${process.pid}`)
  await mkdir(staging)
  // However the build ends: done, failed or interrupted.
  process.once('exit', () => rmSync(staging, { recursive: true, force: true }))
  const created = sourceDate(process.env) ?? (await releaseDate(builder, facts, specs))
  const rows: LayeredRow[] = []
  const files: string[] = []
  expectSteps(specs.reduce((sum, spec) => sum + spec.arches.length * layerNames(spec).length, 0))
  for (const spec of specs) {
    const folder = join(staging, `${spec.archive}-packages`)
    const isAlpine = mirror !== undefined && spec.root.kind === 'alpine'
    const packages = isAlpine
      ? await fetchPackages({ builder, facts, spec, mirror }, folder)
      : undefined
    if (packages) {
      const name = spec.archive.replace(/\.oci\.tar$/, '.lock.json')
      await writeFile(join(staging, name), `${JSON.stringify(packages.lock, null, 2)}\n`)
      files.push(name)
    }
    rows.push(
      ...(await buildImage(builder, facts, { ...spec, created }, staging, packages?.directory)),
    )
    files.push(spec.archive)
  }
  return placeImages(rows, facts, files, staging, output)
}

/**
 * Moves what was built from the staging directory to the output directory, and adds its rows to `sizes.json` there.
 * Throws a BuildError, and leaves the output directory alone, if an image is over its budget.
 */
export async function placeImages(
  built: readonly LayeredRow[],
  facts: Facts,
  files: readonly string[],
  staging: string,
  output: string,
): Promise<SizeRow[]> {
  const over = overBudget(built, facts, loadMeasured())
  if (over.length > 0) throw new BuildError(over.join('\n'))
  const rows = built.map(({ layers: _, ...row }): SizeRow => row)
  // Another build may have come to the same place in the same directory.
  await withLock(outputLock(output), async () => {
    const merged = mergeSizes(await readSizes(output), rows)
    await writeFile(join(staging, 'sizes.json'), `${JSON.stringify(merged, null, 2)}\n`)
    for (const file of files) await rename(join(staging, file), join(output, file))
    await rename(join(staging, 'sizes.json'), join(output, 'sizes.json'))
  })
  return rows
}

/** A file beside the caches: the output directory has results alone. */
function outputLock(output: string): string {
  const name = createHash('sha256').update(resolve(output)).digest('hex').slice(0, 16)
  return join(cacheDirectory, 'locks', name)
}

/**
 * The time that SOURCE_DATE_EPOCH names, if it is set, as RFC 3339. Throws a UserError.
 * https://reproducible-builds.org/specs/source-date-epoch/
 */
export function sourceDate({ SOURCE_DATE_EPOCH: text }: NodeJS.ProcessEnv): string | undefined {
  if (text === undefined || text === '') return undefined
  if (/^\d{1,11}$/.test(text)) {
    return new Date(Number(text) * 1000).toISOString().replace('.000Z', 'Z')
  }
  throw new UserError(
    `malformed SOURCE_DATE_EPOCH "${text}": set it to seconds since 1970, or unset it for the time of the release`,
  )
}

/** The time of the release that the images are of. */
function releaseDate(
  builder: Builder,
  facts: Facts,
  [spec]: readonly ImageSpec[],
): Promise<string> {
  const known = Object.keys(facts.kubernetes)
  const kubernetes = parseKubernetesVersion((spec as ImageSpec).kubernetes, known)
  const kubelet = planComponent(kubernetes, facts, 'kubelet') as KubernetesComponent
  const platform = platformOf((spec as ImageSpec).arches[0] as Arch)
  return engineStep(`time of ${kubernetes.version}`, () => releaseTime(builder, kubelet, platform))
}

/** Builds one image for all its architectures and writes its archive. */
async function buildImage(
  builder: Builder,
  facts: Facts,
  spec: ImageSpec & { created: string },
  staging: string,
  packages?: Directory,
): Promise<LayeredRow[]> {
  const files = new Map<string, string>()
  const layers = new Map<Arch, LayerFacts[]>()
  for (const arch of spec.arches) {
    const folders = imageLayers(builder, facts, spec, arch, packages).map(
      ({ name, directory }, i) => {
        const label = `${spec.image} ${spec.tag} ${platformOf(arch).platform}: ${name}`
        const folder = join(staging, `${spec.image}-${spec.tag}-${arch}-${i}`)
        return engineStep(label, () => directory.export(folder), countedStep)
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
  return [...layers].map(([arch, stack]) => ({
    ...sizeRow(spec, arch, stack, layout.manifests.get(arch) as string),
    layers: layerSizes(spec, stack),
  }))
}

/** The rows of `sizes.json` in a directory; none where there is no such file, or one that was cut short, which is told and kept. */
export async function readSizes(directory: string): Promise<SizeRow[]> {
  const file = join(directory, 'sizes.json')
  const text = await readFile(file, 'utf8').catch(() => '[]')
  try {
    return JSON.parse(text) as SizeRow[]
  } catch {
    const kept = `${file}.unreadable`
    await rename(file, kept)
    line(`${file} cannot be read, and begins anew: the old one is ${kept}`)
    return []
  }
}
