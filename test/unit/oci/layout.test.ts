import { createHash } from 'node:crypto'
import test from 'ava'
import type { Arch } from '../../../pipeline/facts/platform.js'
import { type LayerFacts, type Layout, layoutImage } from '../../../pipeline/oci/layout.js'

const image = {
  ref: 'localhost/kubelet:v1.24.0-static',
  entrypoint: ['kubelet'],
  labels: { 'org.opencontainers.image.version': 'v1.24.0' },
  compression: 'zstd' as const,
}
const layer = (name: string): LayerFacts => ({
  diffId: `sha256:${name}-tar`,
  digest: `sha256:${name}-blob`,
  size: 10,
  extracted: 20,
})

function layout(...arches: Arch[]): Layout {
  return layoutImage(image, new Map(arches.map((arch) => [arch, [layer('base'), layer(arch)]])))
}

/** The JSON of a blob, found by its digest, which must be that of the content. */
function blob(of: Layout, digest: string) {
  const found = of.blobs.find((each) => each.digest === digest)
  const content = found?.content ?? Buffer.from('null')
  if (digest !== `sha256:${createHash('sha256').update(content).digest('hex')}`) {
    throw new Error(`no blob ${digest}`)
  }
  return JSON.parse(content.toString())
}

test('a single platform is an entry of index.json itself', (t) => {
  const single = layout('arm')
  const index = JSON.parse(single.files['index.json'] as string)
  t.is(index.manifests.length, 1)
  t.deepEqual(index.manifests[0].platform, { architecture: 'arm', os: 'linux', variant: 'v7' })
  t.is(index.manifests[0].annotations['io.containerd.image.name'], image.ref)
  t.is(index.manifests[0].annotations['org.opencontainers.image.ref.name'], 'v1.24.0-static')
  t.is(index.manifests[0].digest, single.manifests.get('arm'))

  const manifest = blob(single, index.manifests[0].digest)
  t.deepEqual(
    manifest.layers.map(({ digest }: { digest: string }) => digest),
    ['sha256:base-blob', 'sha256:arm-blob'],
  )
  t.is(manifest.layers[0].mediaType, 'application/vnd.oci.image.layer.v1.tar+zstd')
  const config = blob(single, manifest.config.digest)
  t.deepEqual(config.rootfs.diff_ids, ['sha256:base-tar', 'sha256:arm-tar'])
  t.deepEqual(config.config.Entrypoint, ['kubelet'])
})

test('several platforms share one nested index, which is the image', (t) => {
  const several = layout('amd64', 'arm64', 'arm')
  const { manifests } = JSON.parse(several.files['index.json'] as string)
  t.is(manifests.length, 1)
  const index = blob(several, manifests[0].digest)
  t.deepEqual(
    index.manifests.map(({ platform }: { platform: unknown }) => platform),
    [
      { architecture: 'amd64', os: 'linux' },
      { architecture: 'arm64', os: 'linux' },
      { architecture: 'arm', os: 'linux', variant: 'v7' },
    ],
  )
  for (const { digest } of index.manifests) t.truthy(blob(several, digest).config)
})

test("Docker's own manifest goes with a single platform only", (t) => {
  const [entry] = JSON.parse(layout('amd64').files['manifest.json'] as string)
  t.deepEqual(entry.RepoTags, [image.ref])
  t.deepEqual(entry.Layers, ['blobs/sha256/base-blob', 'blobs/sha256/amd64-blob'])
  t.is(layout('amd64', 'arm').files['manifest.json'], undefined)
})

test('the same layers give the same digests', (t) => {
  t.deepEqual(layout('amd64').manifests, layout('amd64').manifests)
})

test('what is in an image is told in its configuration, its manifests and their index', (t) => {
  const created = '2022-05-03T13:37:57Z'
  const layers = new Map((['amd64', 'arm'] as Arch[]).map((arch) => [arch, [layer(arch)]]))
  const dated = layoutImage({ ...image, created }, layers)
  const annotations = { ...image.labels, 'org.opencontainers.image.created': created }
  const index = blob(dated, JSON.parse(dated.files['index.json'] as string).manifests[0].digest)
  t.deepEqual(index.annotations, annotations)
  const manifest = blob(dated, index.manifests[1].digest)
  t.deepEqual(manifest.annotations, annotations)
  const config = blob(dated, manifest.config.digest)
  t.is(config.created, created)
  t.deepEqual(config.config.Labels, image.labels)
  t.false(
    'created' in
      blob(
        layout('arm'),
        blob(layout('arm'), layout('arm').manifests.get('arm') as string).config.digest,
      ),
  )
})
