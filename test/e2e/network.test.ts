import { randomInt } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import anyTest, { type TestFn } from 'ava'
import { prepareBuilder } from '../../pipeline/build/debian-root.js'
import { prepareEngine } from '../../pipeline/engine/choose.js'
import { buildLog, engineStep, withClient } from '../../pipeline/engine/session.js'
import { parseKubernetesVersion } from '../../pipeline/facts/kubernetes-version.js'
import { loadFacts } from '../../pipeline/facts/load.js'
import { parseArch, platformOf } from '../../pipeline/facts/platform.js'
import { releaseTime } from '../../pipeline/graph/kubernetes.js'
import { logDirectory } from '../../pipeline/host/paths.js'
import { requirePrograms } from '../../pipeline/host/tools.js'
import { planComponent } from '../../pipeline/plan/components.js'
import type { KubernetesComponent } from '../../pipeline/plan/spec.js'
import { succeed } from '../_helpers/command.js'

// The smallest step that goes to the network, by servers of this machine that ask for a password.
const test = anyTest as TestFn<Context>
type Context = { folder: string; proxy: Server; modules: Server; earlier: NodeJS.ProcessEnv }

const facts = loadFacts()
const time = '2022-05-03T13:46:05Z'
// A name that a module proxy has no module for, and no resolver an address.
const elsewhere = 'http://modules.invalid'

interface Server {
  /** HOST:PORT. */
  place: string
  /** The releases that were asked for with the right password. */
  asked: string[]
  /** Arguments of processes, at the time of these questions, that had the password. */
  shown: string[]
  close(): void
}

/** A module proxy that knows every release of Kubernetes; or an HTTP proxy in front of one. */
async function serve(host: string, server: ReturnType<typeof createServer>): Promise<Server> {
  const asked: string[] = []
  const shown: string[] = []
  server.on('request', async ({ url = '', headers }: IncomingMessage, response: ServerResponse) => {
    const asProxy = url.startsWith('http')
    const given = asProxy ? headers['proxy-authorization'] : headers.authorization
    if (given !== `Basic ${btoa('user:s3cret')}`)
      return response.writeHead(asProxy ? 407 : 401).end()
    const [, version, kind] = /\/k8s\.io\/kubernetes\/@v\/(.*)\.(info|mod)$/.exec(url) ?? []
    if (version === undefined) return response.writeHead(404).end()
    asked.push(version)
    shown.push(...(await processArguments()).filter((line) => line.includes('s3cret')))
    const info = JSON.stringify({ Version: version, Time: time })
    response.end(kind === 'mod' ? 'module k8s.io/kubernetes\n' : info)
  })
  await new Promise<void>((done) => server.listen(0, host, done))
  const { port } = server.address() as AddressInfo
  return { place: `${host}:${port}`, asked, shown, close: () => server.close() }
}

/** A company's certificate for an address, in a file, and its key. */
async function certificate(folder: string, host: string): Promise<{ cert: string; key: string }> {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  await succeed('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=test'],
    ...['-addext', `subjectAltName=IP:${host}`, '-keyout', key, '-out', cert],
  ])
  return { cert, key }
}

async function processArguments(): Promise<string[]> {
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  return Promise.all(
    processes.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  )
}

/** The time of a release that nobody has asked this engine for. */
async function timeOf(kubernetes: string): Promise<string> {
  const version = parseKubernetesVersion(kubernetes, Object.keys(facts.kubernetes))
  const kubelet = planComponent(version, facts, 'kubelet') as KubernetesComponent
  return withClient(await prepareEngine(), async (client) => {
    const builder = await prepareBuilder(client, facts)
    const platform = platformOf(parseArch(process.arch))
    return engineStep('time', () => releaseTime(builder, kubelet, platform))
  })
}

const newRelease = () => `v1.24.${randomInt(1_000, 1_000_000)}`

test.before(async (t) => {
  t.timeout(1_200_000)
  await requirePrograms({ openssl: 'openssl' })
  await prepareEngine()
  const folder = await mkdtemp(join(tmpdir(), 'kubelet-images-network-'))
  const host = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address as string
  const { cert, key } = await certificate(folder, host)
  const pair = { cert: await readFile(cert), key: await readFile(key) }
  t.context = {
    folder,
    proxy: await serve('127.0.0.1', createServer()),
    modules: await serve(host, createSecureServer(pair)),
    earlier: {},
  }
})

test.after.always(async ({ context: { proxy, modules, folder } }) => {
  proxy?.close()
  modules?.close()
  if (folder) await rm(folder, { recursive: true, force: true })
})

test.beforeEach((t) => {
  t.context.earlier = { ...process.env }
  process.env.GONOSUMDB = '*'
})

test.afterEach.always((t) => {
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, t.context.earlier)
})

test.serial("a module proxy with a password and a company's certificate", async (t) => {
  t.timeout(600_000)
  const { modules, folder, earlier } = t.context
  const release = newRelease()
  process.env.NODE_EXTRA_CA_CERTS = await trusting(folder, earlier)
  process.env.GOPROXY = `https://user:s3cret@${modules.place},${othersOf(earlier)}`
  t.is(await timeOf(release), time)
  t.true(modules.asked.includes(release))
  // What a step has made does not depend on the password that it was made with.
  const count = modules.asked.length
  process.env.GOPROXY = `https://user:0ther@${modules.place},${othersOf(earlier)}`
  t.is(await timeOf(release), time)
  t.is(modules.asked.length, count)
})

test.serial('an HTTP proxy on the loopback that asks for a password', async (t) => {
  t.timeout(600_000)
  const { proxy, earlier } = t.context
  const release = newRelease()
  process.env.HTTP_PROXY = `http://user:s3cret@${proxy.place}`
  process.env.NO_PROXY = 'example.org'
  process.env.GOPROXY = `${elsewhere},${othersOf(earlier)}`
  t.is(await timeOf(release), time)
  t.true(proxy.asked.includes(release))
})

test.serial('a wrong password is told without it', async (t) => {
  t.timeout(600_000)
  const { modules, folder, earlier } = t.context
  process.env.NODE_EXTRA_CA_CERTS = await trusting(folder, earlier)
  process.env.GOPROXY = `https://user:wr0ng@${modules.place}`
  const error = await t.throwsAsync(timeOf(newRelease()), { name: 'BuildError' })
  t.regex(error?.message ?? '', /401/)
  t.notRegex(error?.message ?? '', /wr0ng/)
})

test.serial('no log and no process shows a password', async (t) => {
  const { proxy, modules } = t.context
  t.deepEqual([...proxy.shown, ...modules.shown], [])
  const logs = (await readdir(logDirectory)).map((name) => join(logDirectory, name))
  t.true(logs.includes(buildLog))
  for (const log of logs) t.notRegex(await readFile(log, 'utf8'), /s3cret|0ther|wr0ng/, log)
})

/** Where this machine has modules from without the servers of the test. */
function othersOf({ GOPROXY }: NodeJS.ProcessEnv): string {
  return GOPROXY || 'https://proxy.golang.org'
}

/** A file with the certificate of the test beside those that this machine's environment has. */
async function trusting(folder: string, { NODE_EXTRA_CA_CERTS }: NodeJS.ProcessEnv) {
  const files = [...(NODE_EXTRA_CA_CERTS ? [NODE_EXTRA_CA_CERTS] : []), join(folder, 'cert.pem')]
  const all = await Promise.all(files.map((file) => readFile(file, 'utf8')))
  const file = join(folder, 'trusted.pem')
  await writeFile(file, all.join('\n'))
  return file
}
