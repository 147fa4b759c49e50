import test from 'ava'
import { parseKubernetesVersion } from '../../../pipeline/facts/kubernetes-version.js'
import { loadFacts } from '../../../pipeline/facts/load.js'
import { publishedComponents } from '../../../pipeline/facts/published.js'
import type { Facts } from '../../../pipeline/facts/schema.js'
import { planImages } from '../../../pipeline/plan/images.js'
import type { BuildRequest } from '../../../pipeline/plan/request.js'
import {
  loadPrograms,
  missingPrograms,
  providedPrograms,
} from '../../../pipeline/plan/required-executables.js'
import type { ImageSpec } from '../../../pipeline/plan/spec.js'
import { parseBuildRequest } from '../../_helpers/requests.js'

// The exec contract: what the source can execute is in the image or left out for a reason.
const facts = loadFacts()
const minors = Object.keys(facts.kubernetes)
const programs = new Map(minors.map((minor) => [minor, loadPrograms(minor)]))
const releases = [...programs.values()].flatMap((found) => [...found])
const reports = releases.flatMap(([, found]) => Object.entries(found))

/** Every image of the newest release of a minor, for every base and variant. */
function imagesOf(minor: string): ImageSpec[] {
  const { newest } = facts.kubernetes[minor] as Facts['kubernetes'][string]
  return Object.keys(facts.bases).flatMap((base) =>
    planImages(parseBuildRequest(['--k8s', newest, '--base', base], facts) as BuildRequest, facts),
  )
}

for (const [minor, found] of programs) {
  test(`v${minor}: what its programs execute is known`, (t) => {
    t.not(found.size, 0, `npm run programs -- --k8s ${facts.kubernetes[minor]?.newest}`)
  })
}

for (const [release, data] of releases) {
  test(`${release}: every program that can be executed is in the image or left out`, (t) => {
    for (const [, component] of publishedComponents(facts)) {
      if (component.kind !== 'kubernetes') continue
      for (const program of component.programs) t.truthy(data[program], program)
    }
    for (const spec of imagesOf(parseKubernetesVersion(release, minors).minor)) {
      t.deepEqual(missingPrograms(spec, facts, data), [], `${spec.image}:${spec.tag}`)
    }
  })

  test(`${release}: every call of a program named at run time is explained`, (t) => {
    const sites = Object.values(data).flatMap(({ dynamic }) => dynamic)
    t.deepEqual(
      sites.filter((site) => !(site in facts.omitted.dynamic)),
      [],
    )
  })
}

test('nothing is left out that no release executes', (t) => {
  for (const [name, { of }] of Object.entries(facts.omitted.programs)) {
    for (const program of of) {
      t.true(
        reports.some(([owner, { programs }]) => owner === program && name in programs),
        `${program} does not execute ${name}`,
      )
    }
  }
})

test('nothing is left out that every image has', (t) => {
  const images = minors.flatMap((minor) => imagesOf(minor))
  for (const [name, { of }] of Object.entries(facts.omitted.programs)) {
    const concerned = images.filter(({ components }) =>
      components.some(
        (part) =>
          part.kind === 'kubernetes' && part.programs.some((program) => of.includes(program)),
      ),
    )
    t.not(concerned.length, 0, `nothing does without ${name}`)
    const without = concerned.filter((spec) => !providedPrograms(spec, facts).includes(name))
    t.not(without.length, 0, name)
  }
})

test('nothing is explained that no release calls', (t) => {
  const sites = new Set(reports.flatMap(([, { dynamic }]) => dynamic))
  t.deepEqual(
    Object.keys(facts.omitted.dynamic).filter((site) => !sites.has(site)),
    [],
  )
})

test('an image without a program that its kubelet executes', (t) => {
  const [spec] = imagesOf('1.24') as [ImageSpec]
  const data = {
    kubelet: { programs: { mount: ['a.B'], dig: ['a.C'], '/opt/dig': ['a.D'] }, dynamic: [] },
    kubeadm: { programs: { ssh: ['a.E'] }, dynamic: [] },
  }
  t.deepEqual(missingPrograms(spec, facts, data), ['/opt/dig', 'dig'])
})
