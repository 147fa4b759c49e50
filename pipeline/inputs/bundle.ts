import { z } from 'zod'
import { UserError } from '../facts/errors.js'
import { allArches } from '../facts/platform.js'
import type { BuildRequest } from '../plan/request.js'
import { buildHosts } from './lock.js'

/** The first file in a bundle. */
export const bundleFacts = 'bundle.json'

/** Folders of a bundle. */
export const bundleFolders = {
  /** Locked files, each named by its SHA-256. */
  inputs: 'inputs/',
  /** Go modules and toolchains, as a module proxy serves them. */
  go: 'go/',
  /** A cache of npm with the packages of this project. */
  npm: 'npm/',
}

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const path = z.string().regex(/^(inputs|go|npm)\/(?!.*\.\.)[^\s\\]+$/)

const bundle = z.strictObject({
  format: z.literal(1),
  /** SHA-256 of the inputs.lock.json that it was made for. */
  lock: sha256,
  /** Architecture of the machines that can build with it. */
  host: z.enum(buildHosts),
  kubernetes: z.string(),
  arches: z.array(z.enum(allArches)),
  images: z.array(z.string()),
  variants: z.array(z.string()),
  /** What else is in it. `size` is in bytes. */
  files: z.record(path, z.strictObject({ size: z.number().int().nonnegative(), sha256 })),
})

/** What a bundle is for, and what it holds. */
export type Bundle = z.infer<typeof bundle>

/** Reads the first file of a bundle. `name` is for the message of the UserError that it throws. */
export function parseBundle(text: string, name: string): Bundle {
  try {
    return bundle.parse(JSON.parse(text))
  } catch (error) {
    throw new UserError(
      `${name} is no bundle of this version: make one by npm run inputs -- bundle`,
      { cause: error },
    )
  }
}

/** Throws a UserError where a bundle cannot be all that a build needs. */
export function verifyBundle(
  bundle: Bundle,
  request: Pick<BuildRequest, 'kubernetes' | 'arches' | 'images' | 'variants'>,
  { name, lock, host }: { name: string; lock: string; host: string },
): void {
  if (bundle.lock !== lock) {
    throw new UserError(
      `${name} was made for another inputs.lock.json than this checkout has: take the commit that it was made with, or make a new one by npm run inputs -- bundle`,
    )
  }
  const wanted: [what: string, asked: readonly string[], had: readonly string[]][] = [
    ['machines of architecture', [host], [bundle.host]],
    ['Kubernetes', [request.kubernetes.version], [bundle.kubernetes]],
    ['--arch', request.arches, bundle.arches],
    ['--image', request.images, bundle.images],
    ['--variant', request.variants, bundle.variants],
  ]
  for (const [what, asked, had] of wanted) {
    const absent = asked.filter((one) => !had.includes(one))
    if (absent.length === 0) continue
    throw new UserError(
      `${name} has nothing for ${what} ${absent.join(', ')}, only for ${had.join(', ')}: ask for that, or make another by npm run inputs -- bundle`,
    )
  }
}
