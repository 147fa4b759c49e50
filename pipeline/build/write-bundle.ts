import { cp, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Client } from '@dagger.io/dagger'
import { prepareEngine } from '../engine/choose.js'
import { fetchEngineModules } from '../engine/compile.js'
import { engineStep, withClient } from '../engine/session.js'
import { BuildError } from '../facts/errors.js'
import { parseArch, platformOf } from '../facts/platform.js'
import { projectFile } from '../facts/project.js'
import type { Facts } from '../facts/schema.js'
import { componentModules } from '../graph/component.js'
import { run } from '../host/process.js'
import { line, step } from '../host/progress.js'
import { temporaryDirectory } from '../host/temporary.js'
import { type Bundle, bundleFacts, bundleFolders } from '../inputs/bundle.js'
import { filesFor, loadLock, lockHash } from '../inputs/lock.js'
import { purposesOf } from '../inputs/needed.js'
import { filesBelow, sha256Of, storedPath } from '../inputs/store.js'
import { type TarEntry, writeTar } from '../oci/tar.js'
import type { BuildRequest } from '../plan/request.js'
import type { ImageSpec } from '../plan/spec.js'
import { prepareBuilder, prepareInputs } from './debian-root.js'

const project = fileURLToPath(projectFile(''))

/**
 * Writes one archive with everything from outside that a build of these images needs on a machine like this one: locked files, Go modules
 * and toolchains of the images and of the engine, and the packages of npm. Throws a BuildError.
 */
export async function writeBundle(
  request: BuildRequest,
  facts: Facts,
  specs: readonly ImageSpec[],
  target: string,
): Promise<void> {
  const wanted = (host: Bundle['host']) => purposesOf(specs, facts, host)
  const host = parseArch(process.arch) as Bundle['host']
  await prepareInputs(facts, wanted)
  const staging = temporaryDirectory('bundle')
  await fetchNpmPackages(join(staging, bundleFolders.npm))
  await step('modules of the engine', () => fetchEngineModules(join(staging, bundleFolders.go)))
  const engine = await prepareEngine(request.engine)
  line(`engine: ${engine.description}`)
  await withClient(engine, (client) =>
    fetchModules(client, facts, specs, join(staging, bundleFolders.go)),
  )
  const entries = [
    ...filesFor(loadLock(), wanted(host)).map((file) => ({
      name: `${bundleFolders.inputs}${file.sha256}`,
      file: storedPath(file),
    })),
    ...(await filesBelow(staging)),
  ]
  const files: Bundle['files'] = {}
  for (const { name, file } of entries) {
    files[name] = { size: (await stat(file)).size, sha256: await sha256Of(file) }
  }
  const bundle: Bundle = {
    format: 1,
    lock: lockHash(),
    host,
    kubernetes: request.kubernetes.version,
    arches: request.arches,
    images: request.images,
    variants: request.variants,
    files,
  }
  const first: TarEntry = { name: bundleFacts, content: `${JSON.stringify(bundle, null, 2)}\n` }
  await writeTar(target, [first, ...entries])
}

/** A cache of npm with what package-lock.json names for this machine. Throws a BuildError. */
async function fetchNpmPackages(cache: string): Promise<void> {
  const copy = temporaryDirectory('npm')
  for (const name of ['package.json', 'package-lock.json']) {
    await cp(join(project, name), join(copy, name))
  }
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=5']
  const { status, stderr } = await step('packages of npm', () =>
    run('npm', ['ci', '--cache', cache, '--loglevel=error', ...flags], { cwd: copy }),
  )
  if (status !== 0) throw new BuildError(`npm ci failed:\n${stderr}`)
}

/** Go modules and toolchains of all components of images, as a module proxy serves them. */
async function fetchModules(
  client: Client,
  facts: Facts,
  specs: readonly ImageSpec[],
  folder: string,
): Promise<void> {
  const builder = await prepareBuilder(client, facts, (host) => purposesOf(specs, facts, host))
  const done = new Set<string>()
  for (const { arches, components } of specs) {
    for (const arch of arches) {
      for (const component of components) {
        const key = JSON.stringify([arch, component])
        if (done.has(key)) continue
        done.add(key)
        const modules = componentModules(builder, component, platformOf(arch))
        await engineStep(`modules of ${component.kind} for ${arch}`, () => modules.export(folder))
      }
    }
  }
}
