import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { XMLParser } from 'fast-xml-parser'
import { engineStep } from '../engine/session.js'
import type { KubernetesVersion } from '../facts/kubernetes-version.js'
import { parseArch, platformOf } from '../facts/platform.js'
import type { Facts } from '../facts/schema.js'
import type { Builder } from '../graph/builder.js'
import { componentTree } from '../graph/component.js'
import { conformanceImages } from '../graph/conformance.js'
import { replaceFiles } from '../host/files.js'
import { planComponent } from '../plan/components.js'
import { type Kubectl, kubectlProgram } from './cluster.js'
import type { Node } from './node.js'
import { podImage } from './pod-image.js'
import type { Report } from './report.js'
import type { Conformance } from './request.js'
import type { Setting } from './setting.js'

/** Builds Kubernetes' own tests and the image of their pods into a folder. */
export async function buildConformance(
  builder: Builder,
  facts: Facts,
  kubernetes: KubernetesVersion,
  folder: string,
): Promise<void> {
  const platform = platformOf(parseArch(process.arch))
  const tree = (name: string) =>
    componentTree(builder, planComponent(kubernetes, facts, name), platform)
  const tests = tree('conformance')
  await engineStep('conformance tests', () => tests.export(join(folder, 'conformance')))
  const images = conformanceImages(builder, tests, tree('coredns'))
  for (const [name, image] of Object.entries(images)) {
    const archive = join(folder, 'conformance', `${name}.tar`)
    await engineStep(`image ${name}`, () => image.asTarball().export(archive))
  }
}

// Debian's busybox drops variables whose names have a dash, which that of the tests, years older, does not.
const beyondStandIns = 'should be consumable via the environment'

/** The cases that are run at once, and those that must have the cluster for themselves. */
function rounds({ focus = '\\[Conformance\\]' }: Conformance) {
  // Nodes of a kind that a disruptive case takes away do not come back.
  const serial = `\\[Serial\\].*(${focus})|(${focus}).*\\[Serial\\]`
  return [
    { name: 'parallel', nodes: 6, focus, skip: `\\[Serial\\]|${beyondStandIns}` },
    { name: 'serial', nodes: 1, focus: serial, skip: '\\[Disruptive\\]' },
  ]
}

/**
 * Runs Kubernetes' conformance cases on a cluster from its first node. Cases whose pods want an image that is not there are
 * left out, and reported as such.
 */
export async function runConformance(
  nodes: readonly [Node, ...Node[]],
  kubectl: Kubectl,
  conformance: Conformance,
  { folder, report }: Setting,
): Promise<void> {
  const [control] = nodes
  const programs = '/opt/conformance'
  await control.succeed('mkdir', '-p', programs)
  await control.succeed('mount', '--bind', join(folder, 'conformance/usr/local/bin'), programs)
  await report.check('images for the pods of the tests', () =>
    nameImages(nodes, programs, join(folder, 'conformance')),
  )
  await kubectl('taint', 'nodes', '--all', 'node-role.kubernetes.io/master-').catch(() => {})
  await kubectl('taint', 'nodes', '--all', 'node-role.kubernetes.io/control-plane-').catch(() => {})
  const watch = watchImages(kubectl)
  const reportFolders: string[] = []
  const cases: Case[] = []
  for (const { name, nodes: parallel, focus, skip } of rounds(conformance)) {
    const reports = `/var/log/conformance-${name}`
    const flags = [
      ...[`--kubeconfig=/etc/kubernetes/admin.conf`, `--kubectl-path=${kubectlProgram}`],
      ...['--provider=skeleton', '--num-nodes=2', '--disable-log-dump', `--report-dir=${reports}`],
    ]
    const ginkgo = [
      `-nodes=${parallel}`,
      '-noColor',
      '-timeout=4h',
      `-focus=${focus}`,
      `-skip=${skip}`,
    ]
    const command = [`${programs}/ginkgo`, ...ginkgo, `${programs}/e2e.test`, '--', ...flags]
    // What ginkgo keeps beside its log goes with the node too.
    const logged = 'mkdir -p "$0"; export TMPDIR="$0"; exec "$@" >"$0/ginkgo.log" 2>&1'
    // Its status tells only that some case failed, which the reports tell by name.
    await control.run('sh', ['-c', logged, reports, ...command])
    reportFolders.push(reports)
    cases.push(...(await readCases(control, reports)))
  }
  watch.stop()
  const omitted = omittedCases(cases, watch.missing)
  if (conformance.report) await writeReport(control, reportFolders, omitted, conformance.report)
  reportCases(cases, omitted, report)
}

/** What those who certify read: the log and the results of each round, as hydrophone writes them, and what was not run and why. */
async function writeReport(
  node: Node,
  folders: readonly string[],
  omitted: readonly Omitted[],
  target: string,
): Promise<void> {
  await mkdir(target, { recursive: true })
  const contents: Record<string, string> = {
    'e2e.log': '',
    'omitted.json': `${JSON.stringify(omitted, null, 2)}\n`,
  }
  let count = 0
  for (const folder of folders) {
    contents['e2e.log'] += await node.succeed('cat', `${folder}/ginkgo.log`)
    for (const file of await junitFiles(node, folder)) {
      count += 1
      contents[`junit_${String(count).padStart(2, '0')}.xml`] = await node.succeed('cat', file)
    }
  }
  await replaceFiles(
    Object.fromEntries(Object.entries(contents).map(([name, text]) => [join(target, name), text])),
  )
}

async function junitFiles(node: Node, folder: string): Promise<string[]> {
  const list = await node.succeed('find', folder, '-name', 'junit*.xml')
  return list.split('\n').filter(Boolean).sort()
}

/** Imports the images of the tests' pods under every name that the tests have for them. */
async function nameImages(
  nodes: readonly [Node, ...Node[]],
  programs: string,
  folder: string,
): Promise<string> {
  const wanted = (await nodes[0].succeed(`${programs}/e2e.test`, '--list-images')).split('\n')
  const archives = (await readdir(folder)).filter((file) => file.endsWith('.tar'))
  const named: string[] = []
  for (const archive of archives) {
    const image = archive.replace('.tar', '')
    const names = wanted.filter((name) => new RegExp(`/${image}:`).test(name))
    for (const node of nodes) {
      const local = `localhost/${image}:conformance`
      await node.ctr('images', 'import', '--index-name', local, join(folder, archive))
      for (const name of names) await node.ctr('images', 'tag', '--force', local, name)
    }
    named.push(...names)
  }
  const pause = wanted.filter((name) => /\/pause:/.test(name))
  for (const node of nodes) {
    for (const name of pause) await node.ctr('images', 'tag', '--force', podImage, name)
  }
  return [...named, ...pause].map((name) => name.split('/').at(-1)).join(' ')
}

/**
 * Watches for pods whose image cannot be had, and ends their namespaces, so that their cases do not wait for them.
 * `missing` has the image of each such namespace.
 */
function watchImages(kubectl: Kubectl): { missing: Map<string, string>; stop(): void } {
  const missing = new Map<string, string>()
  let watching = true
  const watch = async () => {
    for (; watching; await sleep(2000)) {
      const pods = await kubectl('get', 'pods', '--all-namespaces', '--output=json').catch(() => '')
      for (const [namespace, image] of unavailable(pods)) {
        if (missing.has(namespace) || namespace.startsWith('kube-')) continue
        missing.set(namespace, image)
        await kubectl('delete', 'namespace', namespace, '--wait=false').catch(() => {})
      }
    }
  }
  watch()
  return {
    missing,
    stop: () => {
      watching = false
    },
  }
}

interface PodList {
  items: {
    metadata: { namespace: string }
    status: Record<string, ContainerStatus[] | undefined>
  }[]
}

interface ContainerStatus {
  image: string
  state: { waiting?: { reason: string } }
}

/** Namespaces and images of containers that wait for an image. */
function unavailable(pods: string): [string, string][] {
  if (pods === '') return []
  return (JSON.parse(pods) as PodList).items.flatMap(({ metadata, status }) =>
    [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])]
      .filter(({ state }) => /^(ErrImagePull|ImagePullBackOff)$/.test(state.waiting?.reason ?? ''))
      .map(({ image }): [string, string] => [metadata.namespace, image]),
  )
}

interface Case {
  name: string
  seconds: number
  passed: boolean
  /** Everything that the report says of it. */
  text: string
}

/** The cases that ran, out of the JUnit reports in a directory: one of each process below v1.25, one of all from there on. */
async function readCases(node: Node, folder: string): Promise<Case[]> {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    isArray: (tag) => tag === 'testsuite' || tag === 'testcase',
  })
  const cases: Case[] = []
  for (const file of await junitFiles(node, folder)) {
    const report = parser.parse(await node.succeed('cat', file))
    const suites: JUnitSuite[] = report.testsuites?.testsuite ?? report.testsuite
    for (const one of suites.flatMap(({ testcase }) => testcase ?? [])) {
      if ('skipped' in one || !one.name.includes('[Conformance]')) continue
      const passed = !('failure' in one || 'error' in one)
      cases.push({
        name: one.name.replace(/^\[It\] /, ''),
        seconds: Math.round(Number(one.time) * 10) / 10,
        passed,
        text: JSON.stringify(one),
      })
    }
  }
  return cases
}

interface JUnitSuite {
  testcase?: { name: string; time: string }[]
}

/** Cases that did not run, and why. */
interface Omitted {
  reason: string
  cases: string[]
  /** Where not every case is known by its name. */
  focus?: string
}

function omittedCases(cases: readonly Case[], missing: ReadonlyMap<string, string>): Omitted[] {
  const byImage = new Map<string, string[]>()
  for (const { name, passed, text } of cases) {
    const [, image] = [...missing].find(([namespace]) => !passed && text.includes(namespace)) ?? []
    if (image !== undefined) byImage.set(image, [...(byImage.get(image) ?? []), name])
  }
  return [
    ...[...byImage].map(([image, names]) => ({
      reason: `no image ${image} is to be had`,
      cases: names,
    })),
    { reason: 'a stand-in for its image is not alike', cases: [], focus: beyondStandIns },
    {
      reason: 'what a disruptive case takes away does not come back',
      cases: [],
      focus: '[Disruptive]',
    },
  ]
}

/** A check for each case that could run; those that could not are only named. */
function reportCases(cases: readonly Case[], omitted: readonly Omitted[], report: Report): void {
  const without = new Set(omitted.flatMap(({ cases: names }) => names))
  for (const { name, seconds, passed, text } of cases.filter(({ name }) => !without.has(name))) {
    report.add({ check: name, passed, seconds, ...(!passed && { detail: text.slice(0, 2000) }) })
  }
  for (const { reason, cases: names, focus } of omitted) {
    const what = focus ? `cases "${focus}"` : `${names.length} cases`
    const check = `${what} left out: ${reason}`
    report.add({
      check,
      passed: true,
      seconds: 0,
      ...(names.length > 0 && { detail: names.join('; ') }),
    })
  }
  const failed = report.checks.filter(({ passed }) => !passed)
  if (cases.length === 0) throw new Error('no case of conformance ran')
  if (failed.length > 0) throw new Error(`${failed.length} cases of conformance failed`)
}
