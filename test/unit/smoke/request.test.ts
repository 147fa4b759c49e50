import test from 'ava'
import { UserError } from '../../../pipeline/facts/errors.js'
import { loadFacts } from '../../../pipeline/facts/load.js'
import type { SmokeRequest } from '../../../pipeline/smoke/request.js'
import { parseSmokeRequest } from '../../_helpers/requests.js'

const facts = loadFacts()

function request(text: string): SmokeRequest {
  return parseSmokeRequest(text.split(' '), facts) as SmokeRequest
}

test('standalone runs the variant cni, join kubeadm-cni, on the static base', (t) => {
  const standalone = request('--mode standalone')
  t.like(standalone, { mode: 'standalone', json: false })
  t.like(standalone.build, { variants: ['cni'], bases: ['static'], images: ['kubelet'] })
  t.is(standalone.build.kubernetes.version, 'v1.24.0')
  t.deepEqual(request('--mode=join').build.variants, ['kubeadm-cni'])
})

test('conformance is asked for, whole or in part', (t) => {
  t.false(request('--mode join').conformance)
  t.deepEqual(request('--mode join --conformance').conformance, {})
  t.deepEqual(request('--conformance --mode join --focus=DNS').conformance, { focus: 'DNS' })
})

test('Docker gets images that every release of it reads', (t) => {
  t.is(request('--mode standalone').build.compression, 'zstd')
  const { runtime, build } = request('--mode standalone --runtime=docker')
  t.is(runtime, 'docker')
  t.is(build.compression, 'gzip')
})

test('release, base and variant are as asked for', (t) => {
  const { build, json } = request(
    '--k8s v1.36.4 --mode join --variant kubeadm --base alpine3.23 --json',
  )
  t.like(build, { variants: ['kubeadm'], bases: ['alpine3.23'] })
  t.is(build.kubernetes.version, 'v1.36.4')
  t.true(json)
})

test('virtual machines run systemd, and Debian 13 unless another is asked for', (t) => {
  t.like(request('--mode join'), { machine: 'namespace', runtime: 'ctr' })
  const machine = request('--mode join --machine vm')
  t.like(machine, { machine: 'vm', runtime: 'systemd', os: 'debian13' })
  t.deepEqual(machine.build.arches, ['amd64'])
  t.is(request('--mode join --machine vm --os debian12').os, 'debian12')
  t.deepEqual(request('--mode join --machine vm --arch aarch64').build.arches, ['arm64'])
})

const wrong: [string, RegExp][] = [
  ['--mode join --machine box', /^unknown machine "box": choose from namespace, vm\.$/],
  [
    '--mode join --machine vm --runtime ctr',
    /^--runtime ctr does not go with --machine vm: choose from systemd, docker$/,
  ],
  [
    '--mode join --runtime systemd',
    /^--runtime systemd does not go with --machine namespace: choose from ctr, nerdctl, docker$/,
  ],
  ['--mode join --os debian12', /^--os is for --machine vm: leave it out, or give both$/],
  ['--mode join --arch arm64', /^--arch is for --machine vm: leave it out, or give both$/],
  [
    '--mode join --machine vm --os debian12 --arch arm64',
    /^no machine of arm64 with debian12: choose from debian13$/,
  ],
  [
    '--mode join --machine vm --arch arm',
    /^there are no machines of arm: choose from amd64, arm64$/,
  ],
  [
    '--mode join --machine vm --os debian14',
    /^unknown operating system "debian14": choose from debian12, debian13\. Did you mean debian12\?$/,
  ],
  ['--k8s v1.24.0', /^missing --mode: choose from standalone, init, join, hardway$/],
  ['--mode', /^--mode needs a value: write --mode <mode>$/],
  [
    '--mode jion',
    /^unknown mode "jion": choose from standalone, init, join, hardway\. Did you mean join\?$/,
  ],
  [
    '--mode join --runtime podman',
    /^unknown runtime "podman": choose from ctr, nerdctl, docker, systemd\.$/,
  ],
  ['--mode hardway --conformance', /^--conformance needs a cluster: use it with --mode join/],
  ['--mode join --focus Secrets', /^--focus chooses cases of --conformance: give both$/],
  ['--mode join --runtime', /^--runtime needs a value: write --runtime <name>$/],
  ['--mode standalone --variant cni,base', /^unknown variant "cni,base": choose from /],
  [
    '--mode standalone --image kube-proxy',
    /^unknown flag "--image": choose from --mode, --machine, /,
  ],
  ['--mode join --plan', /^unknown flag "--plan"/],
  ['--mode join --output /x', /^unknown flag "--output"/],
  ['--moed join', /^unknown flag "--moed": .* Did you mean --mode\?$/],
  ['--mode join --conformance=yes', /^--conformance takes no value: write it alone$/],
  ['--mode standalone --k8s v1.99.0', /^unsupported Kubernetes version "v1\.99\.0"/],
]
for (const [args, message] of wrong) {
  test(`wrong: ${args}`, (t) => {
    const error = t.throws(() => request(args), { instanceOf: UserError })
    t.regex(error?.message ?? '', message)
  })
}
