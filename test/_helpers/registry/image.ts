import { createHash, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadFacts } from '../../../pipeline/facts/load.js'
import { type Arch, allArches } from '../../../pipeline/facts/platform.js'
import { type LayerFacts, layoutImage } from '../../../pipeline/oci/layout.js'
import { writeArchive } from '../../../pipeline/oci/write.js'
import { planRelease, type ReleaseImage } from '../../../pipeline/release/plan.js'
import type { ReleaseRequest } from '../../../pipeline/release/request.js'
import { parseReleaseRequest } from '../requests.js'

const facts = loadFacts()

/** Images of v1.24.0 on the static base, as they would be released; flags choose some of them. */
export function releaseImages(registry: string, ...flags: string[]): ReleaseImage[] {
  const all = ['--k8s', 'v1.24.0', '--base', 'static', '--registry', registry]
  return planRelease(parseReleaseRequest([...all, ...flags], facts) as ReleaseRequest, facts)
}

/** Writes an archive of every architecture for each of the images, with layers of noise, into a new folder. */
export async function writeNoise(folder: string, images: readonly ReleaseImage[]): Promise<string> {
  const output = await mkdtemp(join(folder, 'dist-'))
  const blobs = join(output, 'layers')
  await mkdir(blobs)
  for (const { spec } of images) {
    const layers = new Map<Arch, LayerFacts[]>()
    const files = new Map<string, string>()
    for (const arch of allArches) {
      const noise = randomBytes(200_000)
      const digest = `sha256:${createHash('sha256').update(noise).digest('hex')}`
      files.set(digest, join(blobs, digest))
      await writeFile(join(blobs, digest), noise)
      layers.set(arch, [{ diffId: digest, digest, size: noise.length, extracted: noise.length }])
    }
    const layout = layoutImage({ ref: 'localhost/noise:1', ...spec }, layers)
    await writeArchive(join(output, spec.archive), layout, files)
  }
  return output
}
