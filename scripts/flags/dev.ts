import { oneOf } from '../../pipeline/facts/closed-set.js'
import { parseKubernetesVersion } from '../../pipeline/facts/kubernetes-version.js'
import { makeBuildRequest, missingRelease } from '../../pipeline/plan/request.js'
import type { ProgramsRequest } from '../dev/programs.js'
import type { TestRequest } from '../dev/test.js'
import { declare, defineCommand, statuses } from '../terminal/command.js'
import { sharedFlags } from './shared.js'

// Commands for work on this project.

export const suites: readonly TestRequest['suite'][] = ['unit', 'all', 'full', 'nightly']

export const test = defineCommand({
  flags: () =>
    declare(
      'test',
      '[suite] [arguments of AVA]',
      `Runs a suite (${suites.join(', ')}; default: all) and ends with the line that CI reads: N passed, N failed.`,
    )
      .argument('[suite]')
      .argument('[ava...]')
      .allowUnknownOption(),
  request(_values, _facts, [suite = 'all', ...ava]): TestRequest {
    return { suite: oneOf('suite', suite, suites), ava }
  },
  load: () => import('../dev/test.js'),
})

export const readme = defineCommand({
  flags: () =>
    declare(
      'readme',
      '',
      'Writes anew what is made from the code: what the documents show of commands, and variants.schema.json.',
    ),
  request: () => undefined,
  load: () => import('../dev/readme.js'),
})

export const bench = defineCommand({
  flags(facts) {
    const flag = sharedFlags(facts)
    return declare(
      'bench',
      '[options]',
      'Times a build of one kubelet image with empty caches, in a cache directory of its own, against a bare go build of the same kubelet. Takes about a quarter of an hour.',
    )
      .option('--k8s <version>', `${flag.k8s.description} (default: v1.24.0)`)
      .option('--arch <name>', 'amd64, arm64 or arm (default: amd64)')
      .option('--variant <name>', 'variant of the image (default: base)')
  },
  request: ({ k8s = 'v1.24.0', arch = 'amd64', variant = 'base' }, facts) =>
    makeBuildRequest(
      {
        ...{ k8s, arch: [arch], variant: [variant] },
        ...{ image: ['kubelet'], base: ['static'], engine: 'embedded' },
      },
      facts,
    ),
  load: () => import('../dev/bench.js'),
})

export const kubeletBench = defineCommand({
  flags: () =>
    declare(
      'kubelet-bench',
      '',
      "Runs 30 pods for a minute on kubelets of v1.24.0: as in the image, and as Go's own linker and inlining make them. Prints processor time and memory of each. Takes a quarter of an hour; it needs what npm run smoke needs.",
    ),
  request: () => undefined,
  load: () => import('../dev/kubelet-bench.js'),
})

export const packReport = defineCommand({
  flags(facts) {
    const flag = sharedFlags(facts)
    return declare(
      'pack-report',
      '[options]',
      'Measures every component in every packing: extracted and compressed size, and start time where this machine can run it.',
    )
      .option('--k8s <version>', `${flag.k8s.description} (default: v1.24.0)`)
      .addOption(flag.arch)
      .addOption(flag.engine)
      .addOption(flag.json)
      .addHelpText('after', statuses)
  },
  request: ({ k8s = 'v1.24.0', ...values }, facts) =>
    makeBuildRequest({ k8s, base: ['static'], ...values }, facts),
  load: () => import('../dev/pack-report.js'),
})

export const programs = defineCommand({
  flags(facts) {
    const flag = sharedFlags(facts)
    return declare(
      'programs',
      '--k8s <version> [--output <dir>]',
      'Lists the programs that kubelet, kubeadm and kube-proxy of a release can execute, from its source, in DIR/RELEASE.json. npm run test:unit then tells which of them no image has.',
    )
      .addOption(flag.k8s)
      .option('--output <dir>', 'where the list goes (default: pipeline/facts/executables)')
  },
  request({ k8s, output }, facts): ProgramsRequest {
    if (k8s === undefined) throw missingRelease()
    const { version } = parseKubernetesVersion(k8s, Object.keys(facts.kubernetes))
    return { version, ...(output !== undefined && { output }) }
  },
  load: () => import('../dev/programs.js'),
})
