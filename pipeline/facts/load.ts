import { readFileSync } from 'node:fs'
import type { z } from 'zod'
import { projectFile } from './project.js'
import { at, verifyReferences } from './references.js'
import {
  type Facts,
  type KubernetesDifference,
  type KubernetesFacts,
  kubernetesFactsSchema,
  omittedSchema,
  type VariantsDocument,
  variantsSchema,
} from './schema.js'

/** What people edit. */
export const variantsFile = projectFile('variants.json')

const omittedFile = projectFile('pipeline/facts/omitted.json')

/** The project's own facts, validated. Throws an Error that names the JSON path of the first fault. */
export function loadFacts(): Facts {
  return makeFacts(readJson(variantsFile), readJson(omittedFile))
}

/** Checks every field and every reference, and looks up what is said once for many. Throws an Error that names the JSON path of the first fault. */
export function makeFacts(variants: unknown, omitted: unknown): Facts {
  const document = parse('variants.json', variantsSchema, variants)
  verifyReferences(document)
  const { $schema: _, go, kubernetes, ...rest } = document
  const release = (minor: string) => lookup('Go minor', go, minor)
  const { apko, cni, crictl } = rest.sources
  return {
    ...rest,
    components: mapValues(rest.components, (component) =>
      'go' in component ? { ...component, go: release(component.go) } : component,
    ),
    sources: {
      ...rest.sources,
      apko: { ...apko, go: release(apko.go) },
      cni: { ...cni, go: release(cni.go) },
      crictl: mapValues(crictl, release),
    },
    kubernetes: resolveMinors(kubernetes, release),
    omitted: parse('omitted.json', omittedSchema, omitted),
  }
}

/** Each minor with all that holds for it. */
function resolveMinors(
  { releases, differences }: VariantsDocument['kubernetes'],
  release: (minor: string) => string,
): Record<string, KubernetesFacts> {
  const minors = Object.keys(releases)
  const holds = ({ since, until }: KubernetesDifference, minor: string) =>
    (since === undefined || minors.indexOf(minor) >= minors.indexOf(since)) &&
    (until === undefined || minors.indexOf(minor) <= minors.indexOf(until))
  return Object.fromEntries(
    Object.entries(releases).map(([minor, { newest, go }]) => {
      const own = differences.filter((difference) => holds(difference, minor))
      const userland: Record<string, string[]> = {}
      for (const [image, parts] of own.flatMap((one) => Object.entries(one.userland ?? {}))) {
        userland[image] = [...(userland[image] ?? []), ...parts]
      }
      const { since: _, until: __, ...facts } = Object.assign({}, ...own) as KubernetesDifference
      const known = { ...facts, userland, newest, go: mapValues(go, release) }
      // What no difference says is missing.
      return [minor, parse(`variants.json: Kubernetes ${minor}`, kubernetesFactsSchema, known)]
    }),
  )
}

function parse<Schema extends z.ZodType>(name: string, schema: Schema, json: unknown) {
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new Error(`${name}: ${issue === undefined ? '$' : at(issue.path)}: ${issue?.message}`)
}

function readJson(file: URL): unknown {
  return JSON.parse(readFileSync(file, 'utf8'))
}

function mapValues<A, B>(table: Record<string, A>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(table).map(([key, value]) => [key, change(value)]))
}

/** The entry of a table under a key that was checked with the request or with variants.json. Throws an Error where that is not so. */
export function lookup<T>(what: string, table: Readonly<Record<string, T>>, key: string): T {
  const found = Object.hasOwn(table, key) ? table[key] : undefined
  if (found === undefined) throw new Error(`there is no ${what} "${key}"`)
  return found
}
