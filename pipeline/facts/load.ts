import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { projectFile } from './project.js'

const text = z.string().min(1)
const release = z.string().regex(/^v1\.\d+\.\d+$/, 'is not a Kubernetes release such as v1.24.0')
const minor = z.string().regex(/^1\.\d+$/, 'is not a Kubernetes minor such as 1.24')
const goRelease = z.string().regex(/^1\.\d+(\.\d+)?$/, 'is not a Go release such as 1.18.10')
const commit = z.string().regex(/^[0-9a-f]{40}$/, 'is not a git commit')
const directory = z.string().regex(/^\//, 'is not an absolute path')
/** SPDX identifier. */
const license = text

/** Whether the programs of a component are compressed by UPX, and how: pipeline/graph/packings.sh; daemons never are. */
const packing = z.enum(['none', 'upx', 'upx-nrv'])

/** What the packing is chosen by, see `npm run pack-report`; a daemon has none. */
const start = z.strictObject({
  /** A command that starts the program and ends at once. */
  command: z.array(text).min(1),
  /** Milliseconds that it may take. */
  budget: z.number().positive(),
})

/** What is built from a kind of image: one entrypoint, one main program. */
const image = z.strictObject({
  description: text,
  entrypoint: z.array(text).min(1),
  /** Built only when it is named: for the smoke test, not for users. */
  internal: z.boolean().optional(),
  /** Keys of `userland`: the programs that every release of it runs, in the order in which they are laid down. */
  userland: z.array(text),
})

/** SPDX identifiers of what is in every image of a base: the C library, account files and CA certificates. */
const licenses = z.array(text).min(1)

const staticBase = z.strictObject({ kind: z.literal('static'), description: text, licenses })

/** A release of Alpine, with the packages of `alpine`. */
const alpineBase = z.strictObject({
  kind: z.literal('alpine'),
  description: text,
  licenses,
  /** Its directory on a mirror. */
  release: z.string().regex(/^(v\d+\.\d+|edge)$/, 'is not a release of Alpine such as v3.23'),
})

/** The root that an image starts from. */
const base = z.discriminatedUnion('kind', [staticBase, alpineBase])

/** What all Alpine bases share. */
const alpine = z.strictObject({
  /** URL above the releases. */
  mirror: z.url({ protocol: /^https?$/ }),
  /** Directories of a release. */
  repositories: z.array(text).min(1),
  /** Packages of every root, beside those that they depend on. */
  common: z.array(text).min(1),
  /** Packages with the programs of each key of `userland`; where there are none, it is built from source. */
  userland: z.record(z.string(), z.array(text)),
})

/** A flavour of an image: what is added to the base. */
const variant = z.strictObject({
  description: text,
  /** For each image that comes in this variant the keys of `components` that it adds to the base. */
  images: z.record(z.string(), z.array(text).min(1)),
})

/** Megabytes (10^6 bytes) that an image has at most on every architecture, on the static base and as zstd. */
const budget = z.strictObject({
  compressed: z.number().positive(),
  extracted: z.number().positive(),
})

/** One Kubernetes minor. */
const kubernetes = z.strictObject({
  /** The newest release known to be published; later ones are looked up when asked for. */
  newest: release,
  /** Go release by the first patch that upstream built with that Go minor. */
  go: z.record(release, goRelease),
  /** By image the keys of `userland` that only some minors need. */
  userland: z.record(z.string(), z.array(text)),
  /** Flags of kubelet that images with CNI plugins add to the entrypoint. */
  cniFlags: z.array(text),
  /** Whether its kubelet can run pods on Docker itself. */
  dockershim: z.boolean(),
  /** Flags of kubelet without which it runs no pods on containerd. */
  runtimeFlags: z.array(text),
  /** Fields of KubeletConfiguration without which it does not run everywhere that it could. */
  kubeletConfig: z.record(text, z.unknown()),
  /** Oldest major of containerd that it runs pods on. */
  containerd: z.number().int().positive(),
  /** Newest version of kubeadm's configuration that it reads. */
  kubeadmApi: z.string().regex(/^v1beta\d$/, 'is not a version such as v1beta3'),
  /** Release of cri-tools, a key of `sources.crictl`. */
  crictl: text,
})

/** Programs compiled from the Kubernetes source, several of them as one binary. */
const kubernetesComponent = z.strictObject({
  kind: z.literal('kubernetes'),
  license,
  /** Names in cmd/ of the Kubernetes source. */
  programs: z.array(text).min(1),
  /** Where they are in the image. */
  directory,
  cgo: z.boolean(),
  /** images/kubernetes/linker.sh, for programs that were read for it, or Go's own. */
  linker: z.enum(['small', 'go']),
  /** Go build tags; one that a release does not know has no effect. */
  tags: z.array(text),
  /** Compiler flags by pattern of packages, `all=-l`; later ones win. */
  gcflags: z.array(text),
  packing,
  start: start.optional(),
})

/** CNI plugins as one binary. */
const cniComponent = z.strictObject({
  kind: z.literal('cni'),
  license,
  /** Names of plugins in their repository. */
  plugins: z.array(text).min(1),
  packing,
  start,
})

const crictlComponent = z.strictObject({ kind: z.literal('crictl'), license, packing, start })

/** Programs of another project, as its own go.mod builds them. */
const upstreamComponent = z.strictObject({
  kind: z.literal('upstream'),
  license,
  /** Path of the Go module. */
  module: text,
  version: text,
  go: goRelease,
  /** Package by name of the program, as in `go build`. */
  programs: z.record(text, text),
  /** Where they and `files` are in the image. */
  directory,
  /** The variable that gets the release. */
  stamp: text.optional(),
  /** Lines that are left out of a file of the module, by an extended regular expression. */
  without: z.strictObject({ file: text, lines: text }).optional(),
  /** More files of the module. */
  files: z.array(text).optional(),
  packing,
  start: start.optional(),
})

/** Kubernetes' own end-to-end tests, of the release that is tested. */
const conformanceComponent = z.strictObject({
  kind: z.literal('conformance'),
  license,
  packing,
  start: start.optional(),
})

/** A layer above the base. */
const component = z.discriminatedUnion('kind', [
  kubernetesComponent,
  cniComponent,
  crictlComponent,
  upstreamComponent,
  conformanceComponent,
])

/** A part of the static userland, built by images/static/KEY.sh. */
const userland = z.strictObject({
  license,
  /** Debian source packages, NAME or NAME/SUITE; the script finds each unpacked under its name. */
  sources: z.array(text),
  /** Programs in it that others count on; a part may hold more. */
  programs: z.array(text).min(1),
})

/** A program that images do not hold although Kubernetes programs can execute it. */
const leftOut = z.strictObject({
  /** The Kubernetes programs that do without it. */
  of: z.array(text).min(1),
  /** First minor of which that is so; absent means all. */
  from: minor.optional(),
  /** What it is for and what happens without it. */
  reason: text,
})

/** What Kubernetes programs can execute by executables/RELEASE.json and images do not hold. */
const programs = z.strictObject({
  leftOut: z.record(z.string(), leftOut),
  /** By call site that gets the name at run time: what may run there. */
  dynamic: z.record(z.string(), text),
})

/** Debian packages that builds need; inputs.lock.json has the files. */
const debian = z.strictObject({
  suite: text,
  /** Other suites that sources come from: SUITE of NAME/SUITE in `userland`. */
  otherSources: z.array(text),
  /** Packages of the builder's root, which everything that they depend on is added to. */
  builder: z.array(text).min(1),
  /** Packages of the builder's root of which only the files are wanted. */
  alone: z.array(text),
  /** Packages of a target's architecture, without what they depend on: headers, libraries, and nft with all that it loads. */
  target: z.array(text).min(1),
  /** Packages of the images that pods of Kubernetes' tests have, which everything that they depend on is added to. */
  conformance: z.array(text),
})

const schema = z.strictObject({
  images: z.record(z.string(), image),
  bases: z.record(z.string(), base),
  variants: z.record(z.string(), variant),
  /** By image, variant, and the first Kubernetes minor for which it holds; the minors before have none. */
  budgets: z.record(z.string(), z.record(z.string(), z.record(minor, budget))),
  kubernetes: z.record(minor, kubernetes),
  components: z.record(z.string(), component),
  userland: z.record(z.string(), userland),
  programs,
  alpine,
  sources: z.strictObject({
    /** Where locked files are, by archive: URLs, in which {locked} is the time when a file was locked. */
    places: z.strictObject({
      debian: z.array(text).min(1),
      'debian-security': z.array(text).min(1),
      pypi: z.array(text).min(1),
      /** Index of PyPI, which only `npm run update` asks. */
      pypiIndex: z.url(),
    }),
    debian,
    /** Go release that compiles tools/alpine-root. */
    apko: z.strictObject({ go: goRelease }),
    /** Version of the PyPI package ziglang. */
    zig: z.strictObject({ version: text }),
    /** containernetworking/plugins, its last release with the plugin flannel, and the Go release for both. */
    cni: z.strictObject({ version: text, flannel: text, go: goRelease }),
    /** Go release by release of cri-tools. */
    crictl: z.record(text, goRelease),
    /** Commits of releases for which the module proxy does not tell them. */
    kubernetes: z.strictObject({ repository: z.url(), commits: z.record(release, commit) }),
  }),
})

export type Variants = z.infer<typeof schema>
export type ComponentFacts = z.infer<typeof component>
export type SizeBudget = z.infer<typeof budget>
export type Packing = z.infer<typeof packing>
export type KubernetesFacts = z.infer<typeof kubernetes>
export type UserlandFacts = z.infer<typeof userland>
export type SourceFacts = Variants['sources']

/** The project's own variants.json. */
export const variantsFile = projectFile('variants.json')

/** The project's own variants.json, validated. */
export function loadVariants(): Variants {
  return parseVariants(JSON.parse(readFileSync(variantsFile, 'utf8')))
}

/** Checks every field and every reference; throws an Error that names the JSON path of the first fault. */
export function parseVariants(json: unknown): Variants {
  const parsed = schema.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new Error(
      `variants.json: ${issue === undefined ? '$' : at(issue.path)}: ${issue?.message}`,
    )
  }
  verifyReferences(parsed.data)
  return parsed.data
}

/** The images that are built for users. */
export function publishedImages({ images }: Variants): string[] {
  return Object.keys(images).filter((name) => !images[name]?.internal)
}

/** The components of images that are built for users, by name. */
export function publishedComponents(facts: Variants): [string, ComponentFacts][] {
  const published = publishedImages(facts)
  const names = Object.values(facts.variants).flatMap(({ images }) =>
    published.flatMap((image) => images[image] ?? []),
  )
  return Object.entries(facts.components).filter(([name]) => names.includes(name))
}

/** The Debian source packages of the userland, NAME or NAME/SUITE, each once and sorted. */
export function sourcesOf({ userland }: Variants): string[] {
  return [...new Set(Object.values(userland).flatMap(({ sources }) => sources))].sort()
}

function verifyReferences(variants: Variants): void {
  for (const [key, { userland }] of Object.entries(variants.images)) {
    verifyKeys(userland, variants, 'userland', ['images', key, 'userland'])
  }
  for (const part of Object.keys(variants.alpine.userland)) {
    verifyKey(part, variants, 'userland', ['alpine', 'userland', part])
  }
  for (const part of Object.keys(variants.userland)) {
    verifyKey(part, variants.alpine, 'userland', ['userland', part])
  }
  for (const [key, variant] of Object.entries(variants.variants)) {
    for (const [image, components] of Object.entries(variant.images)) {
      verifyKey(image, variants, 'images', ['variants', key, 'images', image])
      verifyKeys(components, variants, 'components', ['variants', key, 'images', image])
    }
  }
  for (const [image, budgets] of Object.entries(variants.budgets)) {
    verifyKey(image, variants, 'images', ['budgets', image])
    for (const variant of Object.keys(budgets)) {
      verifyKey(variant, variants, 'variants', ['budgets', image, variant])
    }
  }
  for (const [minor, { newest, go, crictl, userland }] of Object.entries(variants.kubernetes)) {
    for (const [image, parts] of Object.entries(userland)) {
      verifyKey(image, variants, 'images', ['kubernetes', minor, 'userland', image])
      verifyKeys(parts, variants, 'userland', ['kubernetes', minor, 'userland', image])
    }
    verifyKey(crictl, variants.sources, 'crictl', ['kubernetes', minor, 'crictl'])
    verifyMinor(newest, minor, ['kubernetes', minor, 'newest'])
    for (const first of Object.keys(go))
      verifyMinor(first, minor, ['kubernetes', minor, 'go', first])
    verifyKey(`v${minor}.0`, { go }, 'go', ['kubernetes', minor, 'go'])
  }
}

function verifyKey(key: string, table: object, name: string, path: readonly PropertyKey[]): void {
  const entries = (table as Record<string, object>)[name] ?? {}
  if (!Object.hasOwn(entries, key)) {
    throw new Error(`variants.json: ${at(path)}: "${key}" is not a key of ${name}`)
  }
}

function verifyKeys(keys: readonly string[], table: object, name: string, path: PropertyKey[]) {
  for (const [i, key] of keys.entries()) verifyKey(key, table, name, [...path, i])
}

function verifyMinor(version: string, minor: string, path: readonly PropertyKey[]): void {
  if (!version.startsWith(`v${minor}.`)) {
    throw new Error(`variants.json: ${at(path)}: "${version}" is not a release of ${minor}`)
  }
}

/** `$.kubernetes["1.24"].go`: a path as it would be written in JavaScript. */
function at(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`
    return /^[a-z]\w*$/i.test(String(key)) ? `${text}.${String(key)}` : `${text}["${String(key)}"]`
  }, '$')
}

/** Keys in a plan were checked with the request and with variants.json. */
export function entry<T>(table: Record<string, T>, key: string): T {
  return table[key] as T
}
