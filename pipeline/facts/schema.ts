import { z } from 'zod'
import { allArches } from './platform.js'

// What people may write into variants.json and omitted.json. `npm run readme` makes variants.schema.json of it, by which editors complete and
// explain.

const text = z.string().min(1)
const release = z.string().regex(/^v1\.\d+\.\d+$/, 'is not a Kubernetes release such as v1.24.0')
const minor = z.string().regex(/^1\.\d+$/, 'is not a Kubernetes minor such as 1.24')
const goMinor = z
  .string()
  .regex(/^1\.\d+$/, 'is not a Go minor such as 1.18')
  .describe('A key of `go`.')
const goRelease = z.string().regex(/^1\.\d+\.\d+$/, 'is not a Go release such as 1.18.10')
const commit = z.string().regex(/^[0-9a-f]{40}$/, 'is not a git commit')
const directory = z.string().regex(/^\//, 'is not an absolute path')
const arch = z.enum(allArches)
const license = text.describe('SPDX identifier.')

const packing = z
  .enum(['none', 'upx', 'upx-nrv'])
  .describe(
    'Whether the programs of a component are compressed by UPX, and how: pipeline/graph/packings.sh; daemons never are.',
  )

const start = z
  .strictObject({
    command: z.array(text).min(1).describe('A command that starts the program and ends at once.'),
    budget: z.number().positive().describe('Milliseconds that it may take.'),
  })
  .describe('What the packing is chosen by, see `npm run pack-report`; a daemon has none.')

const image = z
  .strictObject({
    description: text,
    entrypoint: z.array(text).min(1),
    internal: z
      .boolean()
      .optional()
      .describe('Built only when it is named: for the smoke test, not for users.'),
    userland: z
      .array(text)
      .describe(
        'Keys of `userland`: the programs that every release of it runs, in the order in which they are laid down.',
      ),
  })
  .describe('What is built from a kind of image: one entrypoint, one main program.')

const licenses = z
  .array(text)
  .min(1)
  .describe(
    'SPDX identifiers of what is in every image of a base: the C library, account files and CA certificates.',
  )

const staticBase = z.strictObject({ kind: z.literal('static'), description: text, licenses })

const alpineBase = z
  .strictObject({
    kind: z.literal('alpine'),
    description: text,
    licenses,
    release: z
      .string()
      .regex(/^(v\d+\.\d+|edge)$/, 'is not a release of Alpine such as v3.23')
      .describe('Its directory on a mirror.'),
  })
  .describe('A release of Alpine, with the packages of `alpine`.')

const base = z
  .discriminatedUnion('kind', [staticBase, alpineBase])
  .describe('The root that an image starts from.')

const alpine = z
  .strictObject({
    mirror: z.url({ protocol: /^https?$/ }).describe('URL above the releases.'),
    repositories: z.array(text).min(1).describe('Directories of a release.'),
    common: z
      .array(text)
      .min(1)
      .describe('Packages of every root, beside those that they depend on.'),
    userland: z
      .record(z.string(), z.array(text))
      .describe(
        'Packages with the programs of each key of `userland`; where there are none, it is built from source.',
      ),
  })
  .describe('What all Alpine bases share.')

const variant = z
  .strictObject({
    description: text,
    images: z
      .record(z.string(), z.array(text).min(1))
      .describe(
        'For each image that comes in this variant the keys of `components` that it adds to the base.',
      ),
  })
  .describe('A flavour of an image: what is added to the base.')

const budget = z
  .strictObject({
    compressed: z.number().positive(),
    extracted: z.number().positive(),
  })
  .describe(
    'Megabytes (10^6 bytes) that an image has at most on every architecture, on the static base and as zstd.',
  )

const since = minor.describe('First minor of which that is so; absent: the oldest.')
const until = minor.describe('Last minor of which that is so; absent: the newest.')

const kubernetesRelease = z
  .strictObject({
    newest: release.describe(
      'The newest release known to be published; later ones are looked up when asked for.',
    ),
    go: z
      .record(release, goMinor)
      .describe('Go minor by the first patch that upstream built with it.'),
  })
  .describe('One Kubernetes minor.')

const difference = z
  .strictObject({
    since: since.optional(),
    until: until.optional(),
    userland: z
      .record(z.string(), z.array(text))
      .describe(
        'By image the keys of `userland` that it needs beside those of every release; such lists add up.',
      )
      .optional(),
    cniFlags: z
      .array(text)
      .describe('Flags of kubelet that images with CNI plugins add to the entrypoint.')
      .optional(),
    dockershim: z
      .boolean()
      .describe('Whether its kubelet can run pods on Docker itself.')
      .optional(),
    runtimeFlags: z
      .array(text)
      .describe('Flags of kubelet without which it runs no pods on containerd.')
      .optional(),
    namesSandboxImage: z
      .boolean()
      .describe('Whether a flag names the image of sandboxes, which image GC then leaves.')
      .optional(),
    kubeletConfig: z
      .record(text, z.unknown())
      .describe(
        'Fields of KubeletConfiguration without which it does not run everywhere that it could.',
      )
      .optional(),
    containerd: z
      .number()
      .int()
      .positive()
      .describe('Oldest major of containerd that it runs pods on.')
      .optional(),
    kubeadmApi: z
      .string()
      .regex(/^v1beta\d$/, 'is not a version such as v1beta3')
      .describe("Newest version of kubeadm's configuration that it reads.")
      .optional(),
    crictl: text.describe('Release of cri-tools, a key of `sources.crictl`.').optional(),
  })
  .describe('What holds for some minors; a later entry wins over an earlier one.')

const kubernetesComponent = z
  .strictObject({
    kind: z.literal('kubernetes'),
    license,
    programs: z.array(text).min(1).describe('Names in cmd/ of the Kubernetes source.'),
    directory: directory.describe('Where they are in the image.'),
    cgo: z.boolean(),
    linker: z
      .enum(['small', 'go'])
      .describe("images/kubernetes/linker.sh, for programs that were read for it, or Go's own."),
    tags: z.array(text).describe('Go build tags; one that a release does not know has no effect.'),
    gcflags: z
      .array(text)
      .describe('Compiler flags by pattern of packages, `all=-l`; later ones win.'),
    packing,
    start: start.optional(),
  })
  .describe('Programs compiled from the Kubernetes source, several of them as one binary.')

const cniComponent = z
  .strictObject({
    kind: z.literal('cni'),
    license,
    plugins: z.array(text).min(1).describe('Names of plugins in their repository.'),
    packing,
    start,
  })
  .describe('CNI plugins as one binary.')

const crictlComponent = z.strictObject({ kind: z.literal('crictl'), license, packing, start })

const upstreamComponent = z
  .strictObject({
    kind: z.literal('upstream'),
    license,
    module: text.describe('Path of the Go module.'),
    version: text,
    go: goMinor,
    programs: z.record(text, text).describe('Package by name of the program, as in `go build`.'),
    directory: directory.describe('Where they and `files` are in the image.'),
    stamp: text.optional().describe('The variable that gets the release.'),
    without: z
      .strictObject({ file: text, lines: text })
      .optional()
      .describe(
        'Lines that are left out of a file of the module, by an extended regular expression.',
      ),
    files: z.array(text).optional().describe('More files of the module.'),
    packing,
    start: start.optional(),
  })
  .describe('Programs of another project, as its own go.mod builds them.')

const conformanceComponent = z
  .strictObject({
    kind: z.literal('conformance'),
    license,
    packing,
    start: start.optional(),
  })
  .describe("Kubernetes' own end-to-end tests, of the release that is tested.")

const component = z
  .discriminatedUnion('kind', [
    kubernetesComponent,
    cniComponent,
    crictlComponent,
    upstreamComponent,
    conformanceComponent,
  ])
  .describe('A layer above the base.')

const userland = z
  .strictObject({
    license,
    sources: z
      .array(text)
      .describe(
        'Debian source packages, NAME or NAME/SUITE; the script finds each unpacked under its name.',
      ),
    programs: z
      .array(text)
      .min(1)
      .describe('Programs in it that others count on; a part may hold more.'),
  })
  .describe('A part of the static userland, built by images/static/KEY.sh.')

const debian = z
  .strictObject({
    suite: text,
    otherSources: z
      .array(text)
      .describe('Other suites that sources come from: SUITE of NAME/SUITE in `userland`.'),
    builder: z
      .array(text)
      .min(1)
      .describe(
        "Packages of the builder's root, which everything that they depend on is added to.",
      ),
    alone: z
      .array(text)
      .describe("Packages of the builder's root of which only the files are wanted."),
    target: z
      .array(text)
      .min(1)
      .describe(
        "Packages of a target's architecture, without what they depend on: headers, libraries, and nft with all that it loads.",
      ),
    machine: z
      .strictObject({
        systems: z
          .record(
            text,
            z.strictObject({
              suite: text,
              arches: z.array(arch).min(1),
              packages: z.array(text).optional().describe('Packages that no other one has.'),
            }),
          )
          .describe('Suite of Debian, and architectures of machines, by the name of --os.'),
        kernels: z.partialRecord(arch, text).describe('The package of the kernel.'),
        packages: z
          .array(text)
          .min(1)
          .describe('What the kernel and everything that they depend on is added to.'),
      })
      .describe('Virtual machines of the smoke test.'),
    conformance: z
      .array(text)
      .describe(
        "Packages of the images that pods of Kubernetes' tests have, which everything that they depend on is added to.",
      ),
  })
  .describe('Debian packages that builds need; inputs.lock.json has the files.')

export const variantsSchema = z.strictObject({
  $schema: z.string().optional(),
  go: z
    .record(goMinor, goRelease)
    .describe('Patch release of each Go minor that anything is compiled with.'),
  images: z.record(z.string(), image).describe('Kinds of images.'),
  bases: z
    .record(z.string(), base)
    .describe('Roots that images start from, by the end of their tags.'),
  variants: z
    .record(z.string(), variant)
    .describe('Flavours of images, by the middle of their tags.'),
  budgets: z
    .record(z.string(), z.record(z.string(), z.record(minor, budget)))
    .describe(
      'By image, variant, and the first Kubernetes minor for which it holds; the minors before have none.',
    ),
  kubernetes: z.strictObject({
    releases: z
      .record(minor, kubernetesRelease)
      .describe('Every minor that images are built of, oldest first.'),
    differences: z.array(difference),
  }),
  components: z.record(z.string(), component).describe('Layers above a base.'),
  userland: z
    .record(z.string(), userland)
    .describe('Programs of other projects, compiled for the static base.'),
  alpine,
  sources: z.strictObject({
    places: z
      .strictObject({
        debian: z.array(text).min(1),
        'debian-security': z.array(text).min(1),
        pypi: z.array(text).min(1),
        pypiIndex: z.url().describe('Index of PyPI, which only `npm run update` asks.'),
      })
      .describe(
        'Where locked files are, by archive: URLs, in which {locked} is the time when a file was locked.',
      ),
    debian,
    apko: z.strictObject({ go: goMinor }).describe('Go minor that compiles tools/alpine-root.'),
    zig: z.strictObject({ version: text }).describe('Version of the PyPI package ziglang.'),
    cni: z
      .strictObject({ version: text, flannel: text, go: goMinor })
      .describe(
        'containernetworking/plugins, its last release with the plugin flannel, and the Go minor for both.',
      ),
    crictl: z.record(text, goMinor).describe('Go minor by release of cri-tools.'),
    kubernetes: z
      .strictObject({ repository: z.url(), commits: z.record(release, commit) })
      .describe('Commits of releases for which the module proxy does not tell them.'),
  }),
})

const omitted = z
  .strictObject({
    of: z.array(text).min(1).describe('The Kubernetes programs that do without it.'),
    since: since.optional(),
    reason: text.describe('What it is for and what happens without it.'),
  })
  .describe('A program that images do not have although Kubernetes programs can execute it.')

/** What Kubernetes programs can execute by executables/RELEASE.json and images do not have. */
export const omittedSchema = z.strictObject({
  programs: z.record(z.string(), omitted),
  dynamic: z
    .record(z.string(), text)
    .describe('By call site that gets the name at run time: what may run there.'),
})

type Document = z.infer<typeof variantsSchema>

/** One Kubernetes minor with all that holds for it. */
export const kubernetesFactsSchema = difference
  .omit({ since: true, until: true })
  .required()
  .extend({
    newest: release,
    // Go release by the first patch that upstream built with that Go minor.
    go: z.record(release, goRelease),
  })

export type KubernetesFacts = z.infer<typeof kubernetesFactsSchema>

/** Everything that variants.json and omitted.json say, with the Go releases and minors looked up. */
export type Facts = Omit<Document, '$schema' | 'go' | 'kubernetes'> & {
  /** By minor, oldest first. */
  kubernetes: Record<string, KubernetesFacts>
  omitted: z.infer<typeof omittedSchema>
}

export type VariantsDocument = Document
export type KubernetesDifference = z.infer<typeof difference>
export type ComponentFacts = z.infer<typeof component>
export type SizeBudget = z.infer<typeof budget>
export type Packing = z.infer<typeof packing>
export type UserlandFacts = z.infer<typeof userland>
export type SourceFacts = Facts['sources']
