import { createHash } from 'node:crypto'
import { type Arch, platformOf } from '../facts/platform.js'

/** How the layers of an image are compressed. */
export type LayerCompression = 'zstd' | 'gzip' | 'none'

/** What an image is besides its layers. */
export interface ImageContent {
  /** Name and tag under which runtimes will know it. */
  ref: string
  entrypoint: string[]
  labels: Record<string, string>
  /** When what is in it was released, as RFC 3339. */
  created?: string
  compression: LayerCompression
}

/** What the packing step tells of a layer; sizes in bytes. */
export interface LayerFacts {
  /** Digest of the uncompressed tar. */
  diffId: string
  /** Digest of the blob. */
  digest: string
  size: number
  /** Sum of the regular file sizes. */
  extracted: number
}

/** A blob small enough to be made in memory. */
export interface Blob {
  digest: string
  content: Buffer
}

interface Descriptor {
  mediaType: string
  digest: string
  size: number
  platform?: { architecture: string; os: string; variant?: string }
  annotations?: Record<string, string>
}

/** An OCI image layout: its JSON files, and the digests of the layers that belong beside them. */
export interface Layout {
  /** index.json, oci-layout and, for a single platform, Docker's manifest.json. */
  files: Record<string, string>
  /** Config, manifest and index blobs. */
  blobs: Blob[]
  /** Manifest digest of each architecture. */
  manifests: Map<Arch, string>
}

const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: {
    zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
    gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
    none: 'application/vnd.oci.image.layer.v1.tar',
  } satisfies Record<LayerCompression, string>,
}

/**
 * The OCI image layout of an image from its layers per architecture, lowest first. Pure.
 * https://github.com/opencontainers/image-spec/blob/main/image-layout.md
 */
export function layoutImage(image: ImageContent, layers: ReadonlyMap<Arch, LayerFacts[]>): Layout {
  const blobs: Blob[] = []
  const add = (value: unknown): { digest: string; size: number } => {
    const content = Buffer.from(JSON.stringify(value))
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`
    blobs.push({ digest, content })
    return { digest, size: content.length }
  }

  // Labels are for who runs an image, annotations for who looks at it in a registry.
  const annotations = {
    ...image.labels,
    ...(image.created !== undefined && { 'org.opencontainers.image.created': image.created }),
  }
  const manifests = [...layers].map(([arch, stack]): Descriptor => {
    const config = add(configOf(image, arch, stack))
    const manifest = add({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: { mediaType: mediaTypes.config, ...config },
      layers: stack.map(({ digest, size }) => ({
        mediaType: mediaTypes.layer[image.compression],
        digest,
        size,
      })),
      annotations,
    })
    return { mediaType: mediaTypes.manifest, ...manifest, platform: ociPlatform(arch) }
  })

  // Runtimes name one image per entry of index.json, so several platforms share one nested index.
  const [first] = manifests
  const entry: Descriptor =
    first !== undefined && manifests.length === 1
      ? first
      : {
          mediaType: mediaTypes.index,
          ...add({ schemaVersion: 2, mediaType: mediaTypes.index, manifests, annotations }),
        }
  const names = {
    'io.containerd.image.name': image.ref,
    'org.opencontainers.image.ref.name': image.ref.slice(image.ref.lastIndexOf(':') + 1),
  }
  return {
    files: {
      'oci-layout': JSON.stringify({ imageLayoutVersion: '1.0.0' }),
      'index.json': JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.index,
        manifests: [{ ...entry, annotations: names }],
      }),
      ...(manifests.length === 1 && {
        'manifest.json': JSON.stringify(dockerManifest(image, blobs, [...layers.values()].flat())),
      }),
    },
    blobs,
    manifests: new Map([...layers.keys()].map((arch, i) => [arch, manifests[i]?.digest as string])),
  }
}

/** The path of a blob in an image layout. */
export function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`
}

function configOf(image: ImageContent, arch: Arch, stack: readonly LayerFacts[]) {
  return {
    ...(image.created !== undefined && { created: image.created }),
    ...ociPlatform(arch),
    config: {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      Entrypoint: image.entrypoint,
      Labels: image.labels,
    },
    rootfs: { type: 'layers', diff_ids: stack.map(({ diffId }) => diffId) },
  }
}

function ociPlatform(arch: Arch) {
  const { variant } = platformOf(arch)
  return { architecture: arch, os: 'linux', ...(variant !== undefined && { variant }) }
}

/** What `docker load` reads below Docker 25, which does not know image layouts yet. */
function dockerManifest(
  image: ImageContent,
  blobs: readonly Blob[],
  layers: readonly LayerFacts[],
) {
  return [
    {
      Config: blobPath(blobs[0]?.digest as string),
      RepoTags: [image.ref],
      Layers: layers.map(({ digest }) => blobPath(digest)),
    },
  ]
}
