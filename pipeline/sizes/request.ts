import { parseArgs } from 'node:util'
import { messageOf, UserError } from '../facts/errors.js'
import { parseKubernetesVersion } from '../facts/kubernetes-version.js'
import { publishedImages, type Variants } from '../facts/load.js'
import { type Arch, parseArch } from '../facts/platform.js'
import {
  type BuildRequest,
  buildOptions,
  makeBuildRequest,
  oneOf,
  parseFlags as parseBuildFlags,
  verifyFlags,
} from '../plan/request.js'

/** What `npm run sizes` was asked for: the matrix, after a build or not, an image's bytes, or two builds' differences. */
export type SizesRequest = MatrixRequest | WhyRequest | DiffRequest

export interface MatrixRequest {
  mode: 'matrix'
  /** What to build first. */
  build?: BuildRequest
  /** Directory that `npm run build` wrote. */
  output: string
}

export interface WhyRequest {
  mode: 'why'
  image: string
  variant: string
  arch: Arch
  /** Needed only where the directory has several that fit. */
  kubernetes?: string
  base?: string
  output: string
  json: boolean
}

export interface DiffRequest {
  mode: 'diff'
  /** Directories that `npm run build` wrote, or archives in them. */
  before: string
  after: string
  json: boolean
}

export const sizesHelp = `Usage: npm run sizes -- [--output DIR]
       npm run sizes -- --k8s VERSION [options of npm run build]
       npm run sizes -- --why IMAGE --arch NAME [options]
       npm run sizes -- --diff BEFORE AFTER [--json]

Puts the sizes of the images in DIR, which --k8s builds first, into the README's matrix, its chart and the data of both.

  --output DIR         what npm run build wrote (default: dist)
  --why IMAGE          show where the bytes of an image are instead: by layer, file and, in Go programs, module
    --arch NAME        amd64, arm64, arm
    --variant NAME     variant of the image (default: base)
    --k8s VERSION      release of the image, and
    --base NAME        its base, where DIR has several
  --diff BEFORE AFTER  show what grew and shrank between two directories or two archives in them instead
  --json               print everything as JSON instead of a table of what counts
  --help               print this text

Exit status: 0 done, 1 it failed, 2 the request was wrong.
`

const flag = { type: 'string' } as const
const options = {
  ...{ why: flag, arch: flag, variant: flag, k8s: flag, base: flag, diff: flag, output: flag },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean' },
} as const

/** Those of a build that `npm run sizes` takes too. */
const { k8s, arch, image, variant, base, compression, output, engine, help } = buildOptions
const buildFlags = { k8s, arch, image, variant, base, compression, output, engine, help }

/** Reads the arguments of `npm run sizes`; `help` when only the usage is wanted. Throws a UserError. */
export function parseSizesRequest(args: readonly string[], facts: Variants): SizesRequest | 'help' {
  if (args.includes('--help')) return 'help'
  const names = args.map((arg) => arg.split('=', 1)[0])
  if (names.includes('--why')) return parseWhy(args, facts)
  if (names.includes('--diff')) return parseDiff(args)
  if (names.includes('--k8s')) {
    const build = makeBuildRequest(parseBuildFlags(args, buildFlags), facts)
    return { mode: 'matrix', build, output: build.output }
  }
  const { output = 'dist' } = parseFlags(args, ['--output']).values
  return { mode: 'matrix', output }
}

function parseWhy(args: readonly string[], facts: Variants): WhyRequest {
  const known = ['--why', '--arch', '--variant', '--k8s', '--base', '--output', '--json']
  const { values } = parseFlags(args, known)
  const { why = '', arch, variant = 'base', k8s, base, output = 'dist', json } = values
  const image = oneOf('image', why, publishedImages(facts))
  if (arch === undefined) {
    throw new UserError(
      'missing --arch: name the architecture of the image, for example --arch arm64',
    )
  }
  return {
    mode: 'why',
    image,
    variant: oneOf('variant', variant, Object.keys(facts.variants)),
    arch: parseArch(arch),
    ...(k8s !== undefined && {
      kubernetes: parseKubernetesVersion(k8s, Object.keys(facts.kubernetes)).version,
    }),
    ...(base !== undefined && { base: oneOf('base', base, Object.keys(facts.bases)) }),
    output,
    json,
  }
}

function parseDiff(args: readonly string[]): DiffRequest {
  const { values, positionals } = parseFlags(args, ['--diff', '--json'])
  const [after, ...more] = positionals
  if (values.diff === undefined || after === undefined || more.length > 0) {
    throw new UserError(
      '--diff compares two: --diff BEFORE AFTER, directories of npm run build or archives',
    )
  }
  return { mode: 'diff', before: values.diff, after, json: values.json }
}

function parseFlags(args: readonly string[], known: readonly string[]) {
  verifyFlags(args, [...known, '--help'])
  const allowPositionals = known.includes('--diff')
  try {
    return parseArgs({ args: [...args], options, allowPositionals })
  } catch (error) {
    throw new UserError(`${messageOf(error).split('\n')[0]}; see --help`, { cause: error })
  }
}
