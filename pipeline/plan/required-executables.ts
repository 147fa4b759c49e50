import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import semver from 'semver'
import { z } from 'zod'
import { parseKubernetesVersion } from '../facts/kubernetes-version.js'
import { projectFile } from '../facts/project.js'
import type { Facts, UserlandFacts } from '../facts/schema.js'
import type { ImageSpec } from './spec.js'

/** What one program of Kubernetes can execute, found in its source by tools/executables. */
const programReport = z.strictObject({
  /** Functions that start a program or look for it, by its name; "*" stands for what is known only at run time. */
  programs: z.record(z.string(), z.array(z.string()).min(1)),
  /** Functions that can start a program whose name is not in the source. */
  dynamic: z.array(z.string()),
})

/** By name in cmd/ of the Kubernetes source. */
const releasePrograms = z.record(z.string(), programReport)

export type ReleasePrograms = z.infer<typeof releasePrograms>

/** The folder with one RELEASE.json for each release that was looked at, written by `npm run programs`. */
export const programsFolder = projectFile('pipeline/facts/executables/')

/** What the programs of a Kubernetes minor can execute, by release: patch releases differ now and then. */
export function loadPrograms(minor: string): Map<string, ReleasePrograms> {
  const files = readdirSync(programsFolder).filter((name) => /^v.*\.json$/.test(name))
  const releases = files.filter((name) => name.startsWith(`v${minor}.`))
  return new Map(
    releases.map((name) => {
      const json = JSON.parse(readFileSync(new URL(name, programsFolder), 'utf8'))
      return [name.replace('.json', ''), releasePrograms.parse(json)]
    }),
  )
}

type Contents = Pick<ImageSpec, 'image' | 'components' | 'kubernetes'>

/** The programs that an image has by its facts, on whichever base. */
export function providedPrograms(spec: Contents, facts: Facts): string[] {
  const always = facts.images[spec.image]?.userland ?? []
  const { minor } = parseKubernetesVersion(spec.kubernetes, Object.keys(facts.kubernetes))
  const parts = [...always, ...(facts.kubernetes[minor]?.userland[spec.image] ?? [])]
  const own = spec.components.flatMap((component) => {
    if (component.kind === 'kubernetes') return component.programs
    return component.kind === 'crictl' ? ['crictl'] : []
  })
  const userland = parts.flatMap((part) => (facts.userland[part] as UserlandFacts).programs)
  return [...new Set([...userland, ...own])]
}

/**
 * The programs that an image must have: those that its Kubernetes programs can execute, but for those that
 * omitted.json names.
 */
export function requiredPrograms(
  { components, kubernetes }: Contents,
  facts: Facts,
  programs: ReleasePrograms,
): string[] {
  const own = components.flatMap((part) => (part.kind === 'kubernetes' ? part.programs : []))
  const required = own.flatMap((program) => {
    const names = Object.keys(programs[program]?.programs ?? {})
    return names.filter((name) => !isOmitted(name, program, kubernetes, facts))
  })
  return [...new Set(required)].sort()
}

function isOmitted(name: string, program: string, release: string, facts: Facts): boolean {
  const { of = [], since } = facts.omitted.programs[name] ?? {}
  return of.includes(program) && (since === undefined || semver.gte(release, `v${since}.0`))
}

/** The programs that an image must have and has not. */
export function missingPrograms(spec: Contents, facts: Facts, programs: ReleasePrograms) {
  const provided = providedPrograms(spec, facts)
  return requiredPrograms(spec, facts, programs).filter(
    (name) => !provided.includes(posix.basename(name)),
  )
}
