import type { VariantsDocument } from './schema.js'

/** Throws an Error that names the JSON path of the first key that names nothing. */
export function verifyReferences(variants: VariantsDocument): void {
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
  const { releases, differences } = variants.kubernetes
  for (const [minor, { newest, go }] of Object.entries(releases)) {
    const path = ['kubernetes', 'releases', minor]
    verifyMinor(newest, minor, [...path, 'newest'])
    for (const [first, goMinor] of Object.entries(go)) {
      verifyMinor(first, minor, [...path, 'go', first])
      verifyKey(goMinor, variants, 'go', [...path, 'go', first])
    }
    verifyKey(`v${minor}.0`, { go }, 'go', [...path, 'go'])
  }
  for (const [i, { since, until, crictl, userland = {} }] of differences.entries()) {
    const path = ['kubernetes', 'differences', i]
    if (since) verifyKey(since, variants.kubernetes, 'releases', [...path, 'since'])
    if (until) verifyKey(until, variants.kubernetes, 'releases', [...path, 'until'])
    if (crictl) verifyKey(crictl, variants.sources, 'crictl', [...path, 'crictl'])
    for (const [image, parts] of Object.entries(userland)) {
      verifyKey(image, variants, 'images', [...path, 'userland', image])
      verifyKeys(parts, variants, 'userland', [...path, 'userland', image])
    }
  }
  for (const [key, component] of Object.entries(variants.components)) {
    if ('go' in component) verifyKey(component.go, variants, 'go', ['components', key, 'go'])
  }
  const { apko, cni, crictl } = variants.sources
  verifyKey(apko.go, variants, 'go', ['sources', 'apko', 'go'])
  verifyKey(cni.go, variants, 'go', ['sources', 'cni', 'go'])
  for (const [key, go] of Object.entries(crictl)) {
    verifyKey(go, variants, 'go', ['sources', 'crictl', key])
  }
}

function verifyKey(key: string, table: object, name: string, path: readonly PropertyKey[]): void {
  const entries = (table as Record<string, object>)[name] ?? {}
  if (!Object.hasOwn(entries, key)) {
    throw new Error(`variants.json: ${at(path)}: "${key}" is not a key of ${name}`)
  }
}

function verifyKeys(
  keys: readonly string[],
  table: object,
  name: string,
  path: readonly PropertyKey[],
) {
  for (const [i, key] of keys.entries()) verifyKey(key, table, name, [...path, i])
}

function verifyMinor(version: string, minor: string, path: readonly PropertyKey[]): void {
  if (!version.startsWith(`v${minor}.`)) {
    throw new Error(`variants.json: ${at(path)}: "${version}" is not a release of ${minor}`)
  }
}

/** `$.kubernetes["1.24"].go`: a path as it would be written in JavaScript. */
export function at(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`
    return /^[a-z]\w*$/i.test(String(key)) ? `${text}.${String(key)}` : `${text}["${String(key)}"]`
  }, '$')
}
