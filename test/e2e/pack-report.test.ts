import test from 'ava'
import type { Measurement } from '../../pipeline/packing.js'
import { parseArch } from '../../pipeline/platform.js'
import { npm } from '../_helpers/command.js'

// The packing of each component in variants.json against measurements of this machine.

interface Report {
  component: string
  recorded: string
  best: string
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
  for (const { component, recorded, best, measurements } of reports) {
    t.is(recorded, best, `${component}: ${JSON.stringify(measurements)}`)
  }
})
