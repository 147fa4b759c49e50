import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { UserError } from '../pipeline/errors.js'
import { purposesOf } from '../pipeline/inputs/needed.js'
import { type ImageSpec, planImages } from '../pipeline/plan.js'
import type { BuildRequest } from '../pipeline/request.js'
import type { SizeRow } from '../pipeline/sizes.js'
import type { Variants } from '../pipeline/variants.js'
import { chooseBase, prepareMirror } from './alpine.js'
import { prepareInputs } from './builder-root.js'
import { prepareEngine } from './engine/engine.js'
import { withClient } from './engine/session.js'
import { buildImages, sourceDate } from './images.js'
import { goOffline, withoutPlaces } from './inputs/offline.js'
import { line } from './progress.js'
import { verifyPublished } from './published.js'

/** The images that a request asks for. Throws a UserError where they cannot be built. */
export async function planRequested(request: BuildRequest, facts: Variants): Promise<ImageSpec[]> {
  verifyOutput(resolve(request.output))
  // One that is wrong is told before anything starts.
  sourceDate(process.env)
  const base = await chooseBase(request, facts)
  const specs = planImages({ ...request, base }, facts)
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
