import { type Command, Option, type OptionValues } from '@commander-js/extra-typings'
import { allArches } from '../../pipeline/facts/platform.js'
import { publishedImages } from '../../pipeline/facts/published.js'
import type { Facts } from '../../pipeline/facts/schema.js'
import { compressions, engineKinds } from '../../pipeline/plan/request.js'
import { list, repeated } from '../terminal/command.js'

/** Flags that several commands have, with the choices that variants.json gives. */
export function sharedFlags(facts: Facts) {
  const minors = Object.keys(facts.kubernetes)
  return {
    k8s: new Option(
      '--k8s <version>',
      `Kubernetes release, from v${minors[0]} to v${minors.at(-1)}`,
    ),
    arch: new Option('--arch <list>', `${allArches.join(', ')} (default: all)`).argParser(list),
    image: new Option(
      '--image <list>',
      `${publishedImages(facts).join(', ')} (default: all)`,
    ).argParser(list),
    variant: new Option(
      '--variant <list>',
      `${Object.keys(facts.variants).join(', ')} (default: all)`,
    ).argParser(list),
    base: new Option(
      '--base <list>',
      `${Object.keys(facts.bases).join(', ')} (default: all whose packages can be reached)`,
    ).argParser(list),
    alpineMirror: new Option(
      '--alpine-mirror <url>',
      "where Alpine's packages come from (default: Alpine's own)",
    ),
    alpineKey: new Option(
      '--alpine-key <file>',
      "public key that may sign the mirror's index, beside Alpine's; repeatable",
    ).argParser(repeated),
    alpineLock: new Option(
      '--alpine-lock <file>',
      "use the packages of an earlier build's .lock.json; one for each image",
    ).argParser(repeated),
    apk: new Option('--apk <list>', 'more Alpine packages for the images').argParser(list),
    compression: new Option(
      '--compression <name>',
      `${compressions.join(' or ')} (default: zstd from v1.24 on, gzip below)`,
    ),
    output: new Option('--output <dir>', 'where the archives and sizes.json are (default: dist)'),
    engine: new Option(
      '--engine <name>',
      `${engineKinds.join(', ')} (default: the first that is there)`,
    ),
    json: new Option('--json', 'print the result as JSON instead of a table'),
  }
}

/** Adds what is said of Alpine bases. */
export function withAlpineFlags<Args extends unknown[], Values extends OptionValues>(
  command: Command<Args, Values>,
  flag: SharedFlags,
) {
  return command
    .addOption(flag.alpineMirror)
    .addOption(flag.alpineKey)
    .addOption(flag.alpineLock)
    .addOption(flag.apk)
}

/** Adds what chooses images and makes them. */
export function withImageFlags<Args extends unknown[], Values extends OptionValues>(
  command: Command<Args, Values>,
  flag: SharedFlags,
) {
  const chosen = command.addOption(flag.image).addOption(flag.variant).addOption(flag.base)
  return withAlpineFlags(chosen, flag).addOption(flag.compression)
}

/** One of a closed set. */
export function choices(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}

type SharedFlags = ReturnType<typeof sharedFlags>
