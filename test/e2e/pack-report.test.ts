import test from 'ava'
import { loadFacts } from '../../pipeline/facts/load.js'
import { parseArch } from '../../pipeline/facts/platform.js'
import { bestPacking, type Measurement } from '../../pipeline/plan/choose-upx.js'
import { npm } from '../_helpers/command.js'

// The packing of each component in variants.json against measurements of this machine.

// A choice holds if it is the best here or on a board this many times slower: start times near a budget come out on either
// side of it, by what else the machine does.
const slowness = [1, 3]

interface Report {
  component: string
  recorded: string
  measurements: Measurement[]
}

test.serial('every recorded packing is the best within its start time', async (t) => {
  t.timeout(3_600_000)
  const arch = parseArch(process.arch)
  const { status, stdout, stderr } = await npm('pack-report', ['--arch', arch, '--json'])
  t.is(status, 0, stderr)
  const reports: Report[] = JSON.parse(stdout)
  t.deepEqual(reports.map(({ component }) => component).sort(), [
    'cni',
    'cni-flannel',
    'crictl',
    'kube-proxy',
    'kubelet',
    'kubelet-kubeadm',
  ])
  const { components } = loadFacts()
  for (const { component, recorded, measurements } of reports) {
    const budget = components[component]?.start?.budget
    const best = slowness.map((factor) =>
      bestPacking(
        measurements.map((one) => ({ ...one, start: (one.start as number) * factor })),
        budget,
      ),
    )
    t.true(
      best.some((one) => one === recorded),
      `${component}: ${JSON.stringify(measurements)}`,
    )
  }
})
