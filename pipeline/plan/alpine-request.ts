import { alpineBase } from '../facts/bases.js'
import { UserError } from '../facts/errors.js'
import { flagOf } from '../facts/flags.js'
import type { Facts } from '../facts/schema.js'

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

/** As it was given. */
interface AlpineValues {
  alpineMirror?: string | undefined
  alpineKey?: string[] | undefined
  alpineLock?: string[] | undefined
  apk?: string[] | undefined
}

const names = ['alpineMirror', 'alpineKey', 'alpineLock', 'apk'] as const

const packageName = /^[a-z0-9][\w.+-]*([=<>~]{1,2}[\w.+-]+)?$/i

/** Checks what was asked of those of `bases` that are Alpine. Throws a UserError, also where none is. */
export function parseAlpineFlags(
  given: AlpineValues,
  bases: readonly string[],
  facts: Facts,
): AlpineRequest {
  const flag = flagGiven(given)
  if (flag !== undefined && bases.every((base) => facts.bases[base]?.kind !== 'alpine')) {
    throw new UserError(
      `${flag} is for Alpine, not for base ${bases.join(', ')}: leave it out, or choose --base ${alpineBase(facts)}`,
    )
  }
  const packages = [...new Set(given.apk)]
  const wrong = packages.find((name) => !packageName.test(name))
  if (wrong !== undefined) {
    throw new UserError(`malformed Alpine package "${wrong}": write NAME or NAME=VERSION`)
  }
  return {
    ...(given.alpineMirror !== undefined && { mirror: parseMirror(given.alpineMirror, facts) }),
    keys: given.alpineKey ?? [],
    locks: given.alpineLock ?? [],
    packages,
  }
}

/** Whether anything was asked that only an Alpine base can give. */
export function wantsAlpine(given: AlpineValues): boolean {
  return flagGiven(given) !== undefined
}

function flagGiven(given: AlpineValues): string | undefined {
  const name = names.find((one) => given[one] !== undefined)
  return name && flagOf(name)
}

function parseMirror(text: string, facts: Facts): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new UserError(
      `malformed --alpine-mirror "${text}": write the URL above the releases, such as ${facts.alpine.mirror}`,
    )
  }
  return text.replace(/\/+$/, '')
}
