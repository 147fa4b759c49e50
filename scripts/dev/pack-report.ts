import { table } from 'table'
import { prepareBuilder } from '../../pipeline/build/debian-root.js'
import { verifyPublished } from '../../pipeline/build/releases.js'
import { prepareEngine } from '../../pipeline/engine/choose.js'
import { engineStep, withClient } from '../../pipeline/engine/session.js'
import { type Arch, platformOf } from '../../pipeline/facts/platform.js'
import type { Facts } from '../../pipeline/facts/schema.js'
import { compiledTree } from '../../pipeline/graph/component.js'
import { measurePackings } from '../../pipeline/graph/upx.js'
import { line } from '../../pipeline/host/progress.js'
import { bestPacking, type Measurement } from '../../pipeline/plan/choose-upx.js'
import { planImages } from '../../pipeline/plan/images.js'
import type { BuildRequest } from '../../pipeline/plan/request.js'
import type { ComponentSpec } from '../../pipeline/plan/spec.js'

/** What one component comes to on one architecture, in each packing. */
interface Report {
  component: string
  arch: Arch
  /** As variants.json has it. */
  recorded: string
  /** As the measurements say, where the start time could be measured. */
  best?: string | undefined
  measurements: Measurement[]
}

export default async function packReport(request: BuildRequest, facts: Facts): Promise<void> {
  const components = new Map<string, ComponentSpec>()
  for (const spec of planImages(request, facts)) {
    for (const component of spec.components) components.set(component.name, component)
  }
  await verifyPublished(request.kubernetes, facts)
  const engine = await prepareEngine(request.engine)
  line(`engine: ${engine.description}`)
  const reports = await withClient(engine, async (client) => {
    const builder = await prepareBuilder(client, facts)
    const reports: Report[] = []
    for (const arch of request.arches) {
      for (const component of components.values()) {
        const platform = platformOf(arch)
        const label = `${component.name} ${platform.platform}`
        const tree = compiledTree(builder, component, platform)
        const start = component.start?.command ?? []
        // One after another, so that the start times are those of a machine that does nothing else.
        const lines = await engineStep(label, () =>
          measurePackings(builder, tree, { platform, start }),
        )
        reports.push(report(component, arch, lines))
      }
    }
    return reports
  })
  process.stdout.write(
    request.json ? `${JSON.stringify(reports, null, 2)}\n` : reportTable(reports),
  )
}

function report(component: ComponentSpec, arch: Arch, lines: string): Report {
  const measurements = lines
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as Measurement)
  const timed = component.start === undefined || measurements[0]?.start !== undefined
  const best = timed ? bestPacking(measurements, component.start?.budget) : undefined
  return { component: component.name, arch, recorded: component.packing, best, measurements }
}

function reportTable(reports: readonly Report[]): string {
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(2)
  const rows = reports.flatMap(({ component, arch, recorded, best, measurements }) =>
    measurements.map(({ packing, extracted, gzip, zstd, start }) => [
      component,
      arch,
      packing,
      ...[extracted, gzip, zstd].map(megabytes),
      start === undefined ? '' : start.toFixed(1),
      [packing === recorded ? 'recorded' : '', packing === best ? 'best' : ''].join(' ').trim(),
    ]),
  )
  const head = [
    'component',
    'arch',
    'packing',
    'extracted MB',
    'gzip MB',
    'zstd MB',
    'start ms',
    '',
  ]
  return table([head, ...rows])
}
