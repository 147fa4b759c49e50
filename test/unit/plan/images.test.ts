import test from 'ava'
import { UserError } from '../../../pipeline/facts/errors.js'
import { loadFacts } from '../../../pipeline/facts/load.js'
import { planImages } from '../../../pipeline/plan/images.js'
import type { BuildRequest } from '../../../pipeline/plan/request.js'
import { parseBuildRequest } from '../../_helpers/requests.js'

const facts = loadFacts()

function request(args: string): BuildRequest {
  return parseBuildRequest(args.split(' '), facts) as BuildRequest
}

test('one image of v1.24.0', (t) => {
  const [spec, ...more] = planImages(
    request('--k8s v1.24.0 --image kubelet --variant base --base static --arch amd64,arm'),
    facts,
  )
  t.deepEqual(more, [])
  t.like(spec, {
    image: 'kubelet',
    tag: 'v1.24.0-static',
    kubernetes: 'v1.24.0',
    platforms: ['linux/amd64', 'linux/arm/v7'],
    compression: 'zstd',
    archive: 'kubelet-v1.24.0-static.oci.tar',
    entrypoint: [
      'kubelet',
      '--config=/var/lib/kubelet/config.yaml',
      '--register-node',
      '--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf',
      '--kubeconfig=/etc/kubernetes/kubelet.conf',
    ],
  })
  t.like(spec?.components, [
    {
      name: 'kubelet',
      programs: ['kubelet'],
      kubernetes: 'v1.24.0',
      commit: '4ce5a8954017644c5420bae81d72b09b735c21f0',
      go: '1.18.10',
    },
  ])
})

test('labels say what is in an image, under which licenses, and from which commit', (t) => {
  const labels = (args: string) => planImages(request(args), facts)[0]?.labels ?? {}
  const kubelet = labels('--k8s v1.24.0 --image kubelet --variant base --base static')
  t.is(kubelet['org.opencontainers.image.version'], 'v1.24.0')
  t.is(kubelet['org.opencontainers.image.source'], 'https://github.com/kubernetes/kubernetes')
  t.is(kubelet['org.opencontainers.image.revision'], '4ce5a8954017644c5420bae81d72b09b735c21f0')
  t.is(
    kubelet['org.opencontainers.image.licenses'],
    'Apache-2.0 AND GPL-2.0-only AND GPL-2.0-or-later AND MIT AND MPL-2.0',
  )
  const later = labels('--k8s v1.36.4 --image kube-proxy --base static')
  t.false('org.opencontainers.image.revision' in later, 'unknown commits are left out')
})

const builtWith = test.macro((t, version: string, go: string) => {
  t.is(planImages(request(`--k8s ${version}`), facts)[0]?.components[0]?.go, go)
})

test('v1.24.9 was built with Go 1.18', builtWith, 'v1.24.9', '1.18.10')
test('v1.24.10 moved to Go 1.19', builtWith, 'v1.24.10', '1.19.13')
test('v1.24.17 moved to Go 1.20', builtWith, 'v1.24.17', '1.20.14')

test('every combination of the real variants.json can be planned', (t) => {
  for (const [minor, { newest }] of Object.entries(facts.kubernetes)) {
    for (const base of Object.keys(facts.bases)) {
      for (const version of [`v${minor}.0`, newest]) {
        const specs = planImages(request(`--k8s ${version} --base ${base}`), facts)
        const archives = specs.map((spec) => spec.archive)
        t.is(
          new Set(archives).size,
          archives.length,
          `${version} ${base}: archives have names of their own`,
        )
        t.true(specs.every((spec) => spec.tag.startsWith(version) && spec.tag.endsWith(base)))
      }
    }
  }
})

test('an image that does not come in a variant', (t) => {
  const asked = { ...request('--k8s v1.24.0'), images: ['kubelet'], variants: [] }
  t.throws(() => planImages(asked, facts), { instanceOf: UserError })
})

test('variants with CNI plugins pass --network-plugin=cni where kubelet still has it', (t) => {
  const entrypoints = (version: string) =>
    planImages(request(`--k8s ${version} --image kubelet`), facts).map(
      ({ variant, entrypoint }) => [variant, entrypoint.includes('--network-plugin=cni')] as const,
    )
  t.deepEqual(Object.fromEntries(entrypoints('v1.23.6')), {
    base: false,
    flannel: true,
    cni: true,
    kubeadm: false,
    'kubeadm-cni': true,
  })
  t.true(entrypoints('v1.24.0').every(([, flag]) => !flag))
})

test('crictl follows the Kubernetes minor', (t) => {
  const crictl = (version: string) =>
    planImages(request(`--k8s ${version} --variant kubeadm`), facts)[0]?.components.find(
      ({ kind }) => kind === 'crictl',
    )
  t.like(crictl('v1.24.0'), { version: 'v1.36.0', go: '1.26.11', packing: 'upx' })
  t.like(crictl('v1.36.3'), { version: 'v1.36.0', go: '1.26.11' })
})

test('daemons are never compressed by UPX', (t) => {
  for (const minor of Object.keys(facts.kubernetes)) {
    for (const spec of planImages(request(`--k8s v${minor}.0`), facts)) {
      for (const component of spec.components) {
        if (component.kind === 'kubernetes') t.is(component.packing, 'none', component.name)
      }
    }
  }
})
