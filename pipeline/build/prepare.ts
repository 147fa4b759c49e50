import { mkdtempSync, rmdirSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Client } from '@dagger.io/dagger'
import { prepareEngine } from '../engine/choose.js'
import { withClient } from '../engine/session.js'
import { UserError } from '../facts/errors.js'
import type { Arch } from '../facts/platform.js'
import type { Facts } from '../facts/schema.js'
import { requireGo } from '../host/go-tool.js'
import { line } from '../host/progress.js'
import { purposesOf } from '../inputs/needed.js'
import { planImages } from '../plan/images.js'
import type { BuildRequest } from '../plan/request.js'
import type { ImageSpec } from '../plan/spec.js'
import type { SizeRow } from '../sizes/rows.js'
import { prepareMirror, reachableBases } from './alpine-mirror.js'
import { buildImages, sourceDate } from './build-images.js'
import { prepareInputs } from './debian-root.js'
import { goOffline, withoutPlaces } from './offline.js'
import { verifyPublished } from './releases.js'

/** The images that a request asks for. Throws a UserError where they cannot be built. */
export async function planRequested(request: BuildRequest, facts: Facts): Promise<ImageSpec[]> {
  await verifyBuild(request, facts)
  const bases = await reachableBases(request, facts)
  return planImages({ ...request, bases }, facts)
}

/**
 * What can be told before anything is started, for every command that builds. Throws a UserError for what was asked and a BuildError for what
 * this machine lacks.
 */
export async function verifyBuild(request: BuildRequest, facts: Facts): Promise<void> {
  verifyOutput(resolve(request.output))
  sourceDate(process.env)
  if (!request.plan) requireGo()
  // Offline, only the build itself can tell.
  if (!request.offline) await verifyPublished(request.kubernetes, facts)
}

/** What a command needs of the session of its build beside the images. */
export interface Extras {
  /** Purposes of locked files. */
  inputs: (host: Arch) => readonly string[]
  work: (client: Client) => Promise<void>
}

/** Builds the images of a request into its output directory. Throws a UserError or a BuildError. */
export async function buildPlanned(
  request: BuildRequest,
  facts: Facts,
  specs: readonly ImageSpec[],
  extras?: Extras,
): Promise<SizeRow[]> {
  if (!request.offline) return build(request, facts, specs, extras)
  Object.assign(process.env, await goOffline(request))
  return build(request, withoutPlaces(facts), specs, extras)
}

async function build(
  request: BuildRequest,
  facts: Facts,
  specs: readonly ImageSpec[],
  extras?: Extras,
): Promise<SizeRow[]> {
  const mirror = await prepareMirror(request, facts, specs)
  await prepareInputs(facts, (host) => [
    ...purposesOf(specs, facts, host),
    ...(extras?.inputs(host) ?? []),
  ])
  const engine = await prepareEngine(request.engine)
  line(`engine: ${engine.description}`)
  return withClient(engine, async (client) => {
    const rows = await buildImages(client, facts, specs, mirror, resolve(request.output))
    await extras?.work(client)
    line(`${resolve(request.output)}: ${specs.map(({ archive }) => archive).join(' ')}`)
    return rows
  })
}

/** Throws a UserError where the directory for the archives cannot be one, or nothing can be written there. */
export function verifyOutput(output: string): void {
  const found = statSync(output, { throwIfNoEntry: false })
  if (found && !found.isDirectory()) {
    throw new UserError(`--output ${output} is a file: name a directory, there or not`)
  }
  const parent = found ? output : nearestParent(output)
  try {
    // Permissions do not tell it: root has all of them, also where the kernel or a mount has none for anybody.
    rmdirSync(mkdtempSync(join(parent, '.kubelet-images-')))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new UserError(
      `--output ${output} cannot be written (${parent}: ${code}): name a directory that can be`,
      { cause: error },
    )
  }
}

/** The directory that is there, on the way to one that is not. */
function nearestParent(path: string): string {
  const parent = dirname(path)
  return statSync(parent, { throwIfNoEntry: false }) ? parent : nearestParent(parent)
}
