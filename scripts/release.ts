import { resolve } from 'node:path'
import { table } from 'table'
import { buildPlanned, verifyBuild } from '../pipeline/build/prepare.js'
import type { Facts } from '../pipeline/facts/schema.js'
import { replaceFiles } from '../pipeline/host/files.js'
import {
  describeImages,
  moveTags,
  pushImages,
  type ReleaseRow,
  readNotes,
} from '../pipeline/release/indexes.js'
import { releaseNotes } from '../pipeline/release/notes.js'
import { planRelease } from '../pipeline/release/plan.js'
import { type Credentials, Pusher, takeCredentials } from '../pipeline/release/push.js'
import type { ReleaseRequest } from '../pipeline/release/request.js'
import { loadOriginal } from '../pipeline/sizes/figures.js'

export default async function releaseImages(request: ReleaseRequest, facts: Facts): Promise<void> {
  // Before anything else is started, the engine above all.
  const credentials = takeCredentials(process.env)
  const rows = await release(request, facts, credentials)
  if (request.notes) {
    await replaceFiles({ [request.notes]: releaseNotes(rows, loadOriginal()) })
  }
  process.stdout.write(request.json ? `${JSON.stringify(rows, null, 2)}\n` : releaseTable(rows))
}

async function release(
  request: ReleaseRequest,
  facts: Facts,
  credentials: Credentials,
): Promise<ReleaseRow[]> {
  const { stage, dryRun } = request
  const flags = request.plainHttp ? ['--plain-http'] : []
  const output = resolve(request.build.output)
  const images = planRelease(request, facts)
  if (stage === 'tags') {
    const noted = await readNotes(images, output)
    return dryRun ? noted : moveTags(await Pusher.compile(flags, credentials), noted)
  }
  await verifyBuild(request.build, facts)
  // A mirror that does not answer is an error: a release never takes another base.
  await buildPlanned(
    request.build,
    facts,
    images.map(({ spec }) => spec),
  )
  if (dryRun) return describeImages(images, output)
  const pusher = await Pusher.compile(flags, credentials)
  const pushed = await pushImages(pusher, images, output)
  return stage === 'all' ? moveTags(pusher, pushed) : pushed
}

function releaseTable(rows: readonly ReleaseRow[]): string {
  const cells = rows.map(({ ref, digest, bytes, tag }) => [
    ref,
    digest,
    `${(bytes / 1e6).toFixed(2)} MB`,
    tag ?? 'not moved',
  ])
  return table([['image', 'digest', 'blobs', 'tag'], ...cells])
}
