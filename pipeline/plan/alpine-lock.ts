import { z } from 'zod'
import { UserError } from '../facts/errors.js'
import type { Arch } from '../facts/platform.js'
import type { AlpineRoot, ImageSpec } from './spec.js'

// Name, version and repository are parts of a path on the mirror and in the builder: no more than that may be in them.
const lockedPackage = z.strictObject({
  name: z.string().regex(/^[a-z0-9][\w.+-]*$/i, 'is not the name of a package'),
  version: z.string().regex(/^\d[\w.]*(-r\d+)?$/, 'is not the version of a package'),
  repository: z.string().regex(/^[a-z0-9][\w-]*$/i, 'is not the name of a repository'),
  /** The one in the signed index, of the package's control part. */
  checksum: z.string().regex(/^Q1[\w+/]{27}=$/, 'is not a checksum of an index'),
  /** Of the whole file, in hexadecimal. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'is not a SHA-256 in hexadecimal'),
})

const lock = z.strictObject({
  base: z.string(),
  image: z.string(),
  release: z.string(),
  repositories: z.array(z.string()),
  /** The packages that were asked for. */
  world: z.array(z.string()),
  /** By architecture every package in the root, in the order of installation. */
  packages: z.record(z.string(), z.array(lockedPackage)),
})

/** The exact packages of an image. */
export type AlpineLock = z.infer<typeof lock>
export type LockedPackages = AlpineLock['packages']

/** Reads a lock; `file` is its name, for the UserError. */
export function parseLock(text: string, file: string): AlpineLock {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    json = undefined
  }
  const parsed = lock.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const at = issue?.path.map(String).join('.')
  throw new UserError(
    `--alpine-lock ${file} is not the .lock.json of a build${at ? ` (${at}: ${issue?.message})` : ''}: take one that a build wrote`,
  )
}

/** The lock of an image with these packages. */
export function lockOf(
  { base, image }: Pick<ImageSpec, 'base' | 'image'>,
  { release, repositories, world }: AlpineRoot,
  packages: LockedPackages,
): AlpineLock {
  return { base, image, release, repositories, world, packages }
}

/** The locked packages for an image, or nothing where no lock is given. Throws a UserError if none fits. */
export function lockedPackages(
  spec: ImageSpec,
  root: AlpineRoot,
  locks: readonly AlpineLock[],
): LockedPackages | undefined {
  if (locks.length === 0) return undefined
  const found = locks.find(({ base, image }) => base === spec.base && image === spec.image)
  const remedy = 'build without --alpine-lock for a new lock'
  if (found === undefined) {
    throw new UserError(
      `no --alpine-lock is of image ${spec.image} on ${spec.base}: name its lock too, or ${remedy}`,
    )
  }
  const { release, repositories } = root
  if (found.release !== release || found.repositories.join() !== repositories.join()) {
    throw new UserError(
      `the lock of image ${spec.image} is of Alpine ${found.release} (${found.repositories.join(' ')}): ${remedy}`,
    )
  }
  if (found.world.join() !== root.world.join()) {
    throw new UserError(
      `the lock of image ${spec.image} is of other packages (${found.world.join(' ')}): ${remedy}`,
    )
  }
  const missing = spec.arches.find((arch) => !(arch in found.packages))
  if (missing !== undefined) {
    throw new UserError(`the lock of image ${spec.image} is not of ${missing}: ${remedy}`)
  }
  const chosen = spec.arches.map((arch: Arch) => [arch, found.packages[arch] ?? []])
  return Object.fromEntries(chosen)
}
