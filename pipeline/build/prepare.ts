import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { prepareEngine } from '../engine/choose.js'
import { withClient } from '../engine/session.js'
import { UserError } from '../facts/errors.js'
import type { Variants } from '../facts/load.js'
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
export async function planRequested(request: BuildRequest, facts: Variants): Promise<ImageSpec[]> {
  verifyOutput(resolve(request.output))
  // One that is wrong is told before anything starts.
  sourceDate(process.env)
  const bases = await reachableBases(request, facts)
  const specs = planImages({ ...request, bases }, facts)
  // Offline, only the build itself can tell.
  if (!request.offline) await verifyPublished(request.kubernetes, facts)
  return specs
}

/** Builds the images of a request into its output directory. Throws a UserError or a BuildError. */
export async function buildPlanned(
  request: BuildRequest,
  facts: Variants,
  specs: readonly ImageSpec[],
): Promise<SizeRow[]> {
  if (!request.offline) return build(request, facts, specs)
  Object.assign(process.env, await goOffline(request))
  return build(request, withoutPlaces(facts), specs)
}

async function build(
  request: BuildRequest,
  facts: Variants,
  specs: readonly ImageSpec[],
): Promise<SizeRow[]> {
  const mirror = await prepareMirror(request, facts, specs)
  await prepareInputs(facts, (host) => purposesOf(specs, facts, host))
  const engine = await prepareEngine(request.engine)
  line(`engine: ${engine.description}`)
  return withClient(engine, (client) =>
    buildImages(client, facts, specs, mirror, resolve(request.output)),
  )
}

/** Throws a UserError where the directory for the archives cannot be one. */
export function verifyOutput(output: string): void {
  const found = statSync(output, { throwIfNoEntry: false })
  if (found === undefined || found.isDirectory()) return
  throw new UserError(`--output ${output} is a file: name a directory, there or not`)
}
