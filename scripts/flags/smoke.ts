import {
  machineArches,
  makeSmokeRequest,
  smokeMachines,
  smokeModes,
  smokeRuntimes,
} from '../../pipeline/smoke/request.js'
import { declare, defineCommand } from '../terminal/command.js'
import { choices, sharedFlags, withAlpineFlags } from './shared.js'

export const smoke = defineCommand({
  flags(facts) {
    const flag = sharedFlags(facts)
    return withAlpineFlags(
      declare(
        'smoke',
        '--mode <mode> [options]',
        "Builds images, and runs nodes from them that end with the test: in namespaces, on this machine's containerd, or as virtual machines.",
      )
        .option(
          '--mode <mode>',
          `${choices(smokeModes)}: static pods without a cluster; a node by kubeadm init; two nodes, by kubeadm init and kubeadm join; a node and a control plane with a CA and certificates of their own`,
        )
        .option(
          '--machine <kind>',
          `${choices(smokeMachines)}: on this machine's kernel, or booted, with systemd, and a recipe as it is (default: namespace)`,
        )
        .option(
          '--os <name>',
          `vm: ${choices(Object.keys(facts.sources.debian.machine.systems))} (default: debian13)`,
        )
        .option(
          '--arch <name>',
          `vm: ${choices(machineArches(facts.sources.debian.machine.systems))} (default: this machine's)`,
        )
        .option(
          '--runtime <name>',
          `${choices(smokeRuntimes)}: what runs the kubelet; below v1.24 docker runs the pods too (default: ctr; systemd on a vm)`,
        )
        .option('--k8s <version>', `${flag.k8s.description} (default: v1.24.0)`)
        .option('--base <name>', `${choices(Object.keys(facts.bases))} (default: static)`)
        .option(
          '--variant <name>',
          `${choices(Object.keys(facts.variants))}: of the kubelet's image (default: cni; for init and join kubeadm-cni)`,
        ),
      flag,
    )
      .addOption(flag.engine)
      .option('--conformance', "join: run Kubernetes' own conformance tests too (about an hour)")
      .option('--focus <regex>', 'conformance: only cases with such a name')
      .option(
        '--report <dir>',
        'conformance: write e2e.log, junit_NN.xml and omitted.json there, as hydrophone does',
      )
      .option('--json', 'print what was checked as JSON')
      .addHelpText(
        'after',
        `
It needs Linux, root, containerd, runc and iproute2, with docker Docker's engine, and for virtual machines qemu.
Exit status: 0 all is well, 1 something failed, 2 the request was wrong.`,
      )
  },
  request: makeSmokeRequest,
  load: () => import('../smoke.js'),
})
