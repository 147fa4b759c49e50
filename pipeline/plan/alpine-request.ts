import { alpineBase } from '../facts/bases.js'
import { UserError } from '../facts/errors.js'
import type { Variants } from '../facts/load.js'

/** What was asked of Alpine bases. */
export interface AlpineRequest {
  /** URL above the releases, without a slash at its end. */
  mirror?: string
  /** Files with public keys that are trusted beside Alpine's. */
  keys: string[]
  /** Files with the locks of earlier builds. */
  locks: string[]
  /** Packages beside those of variants.json. */
  packages: string[]
}

interface AlpineFlags {
  'alpine-mirror'?: string | undefined
  'alpine-key'?: string[] | undefined
  'alpine-lock'?: string[] | undefined
  apk?: string[] | undefined
}

const packageName = /^[a-z0-9][\w.+-]*([=<>~]{1,2}[\w.+-]+)?$/i

/** Reads the flags for Alpine bases; `base` is the one asked for. Throws a UserError. */
export function parseAlpineFlags(
  flags: AlpineFlags,
  packages: readonly string[],
  base: string | undefined,
  facts: Variants,
): AlpineRequest {
  const mirror = flags['alpine-mirror']
  const [keys, locks] = [flags['alpine-key'] ?? [], flags['alpine-lock'] ?? []]
  const names = ['alpine-mirror', 'alpine-key', 'alpine-lock', 'apk'] as const
  const given = names.find((name) => flags[name] !== undefined)
  if (given !== undefined && base !== undefined && facts.bases[base]?.kind !== 'alpine') {
    throw new UserError(
      `--${given} is for Alpine, not for base ${base}: leave it out, or choose --base ${alpineBase(facts)}`,
    )
  }
  const wrong = packages.find((name) => !packageName.test(name))
  if (wrong !== undefined) {
    throw new UserError(`malformed Alpine package "${wrong}": write NAME or NAME=VERSION`)
  }
  return {
    ...(mirror !== undefined && { mirror: parseMirror(mirror, facts) }),
    keys,
    locks,
    packages: [...packages],
  }
}

/** Whether anything was asked that only an Alpine base can give. */
export function wantsAlpine({ mirror, keys, locks, packages }: AlpineRequest): boolean {
  return mirror !== undefined || keys.length + locks.length + packages.length > 0
}

function parseMirror(text: string, facts: Variants): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new UserError(
      `malformed --alpine-mirror "${text}": write the URL above the releases, such as ${facts.alpine.mirror}`,
    )
  }
  return text.replace(/\/+$/, '')
}
