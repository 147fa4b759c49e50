import { readdirSync, readFileSync } from 'node:fs'
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import anyTest, { type ExecutionContext, type TestFn } from 'ava'
import { requirePrograms } from '../../pipeline/host/tools.js'
import { readArchive } from '../../pipeline/oci/read.js'
import { describeImages, moveTags, pushImages } from '../../pipeline/release/indexes.js'
import type { ReleaseImage } from '../../pipeline/release/plan.js'
import { Pusher } from '../../pipeline/release/push.js'
import { npm, succeed } from '../_helpers/command.js'
import { Containerd } from '../_helpers/registry/containerd.js'
import { releaseImages, writeNoise } from '../_helpers/registry/image.js'
import { type RegistryProxy, startProxy, type Verdict } from '../_helpers/registry/proxy.js'
import {
  compileRegistry,
  password,
  Registry,
  type RegistryOptions,
  user,
} from '../_helpers/registry/registry.js'

// Pushes to a real registry: distribution, on loopback.
type Context = { folder: string; program: string }
type ReleaseTest = ExecutionContext<Context>
const test = anyTest as TestFn<Context>
const credentials = { REGISTRY_USERNAME: user, REGISTRY_PASSWORD: password }

test.before(async (t) => {
  t.timeout(1_800_000)
  await requirePrograms({ containerd: 'containerd', openssl: 'openssl' })
  const folder = await mkdtemp(join(tmpdir(), 'kubelet-images-registry-'))
  t.context = { folder, program: await compileRegistry(folder) }
})

test.after.always(async (t) => {
  if (t.context.folder) await rm(t.context.folder, { recursive: true, force: true })
})

test.serial('blobs and manifests arrive as they are; a rerun pushes nothing', async (t) => {
  const { proxy, output, images, pusher } = await scene(t)
  const described = await describeImages(images, output)
  t.deepEqual(proxy.asked, [], 'nothing is asked of the registry')
  const pushed = await pushImages(pusher, images, output)
  t.deepEqual(pushed, described)
  t.deepEqual(await tagsOf(proxy, images), [undefined, undefined])
  const tagged = await moveTags(pusher, pushed)
  t.deepEqual(
    tagged.map(({ tag }) => tag),
    ['new', 'new'],
  )
  t.deepEqual(await tagsOf(proxy, images), digests(pushed))
  for (const [i, image] of images.entries()) {
    const folder = join(output, `unpacked-${i}`)
    await readArchive(join(output, image.spec.archive), folder)
    for (const blob of await readdir(join(folder, 'blobs/sha256'))) {
      t.true(await holds(proxy, image, `sha256:${blob}`), blob)
    }
  }

  proxy.asked.length = 0
  const again = await moveTags(pusher, await pushImages(pusher, images, output))
  t.deepEqual(
    again.map(({ tag }) => tag),
    ['unchanged', 'unchanged'],
  )
  t.deepEqual(writes(proxy), [])
})

test.serial('credentials from the environment, in no argument of a process', async (t) => {
  const { proxy, output, images, pusher } = await scene(t, { auth: true }, credentials)
  const seen = new Set<string>()
  proxy.judge = () => {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      seen.add(commandLine(pid))
    }
    return 'pass'
  }
  await moveTags(pusher, await pushImages(pusher, images, output))
  t.true([...seen].some((line) => line.includes('tags')))
  t.deepEqual(
    [...seen].filter((line) => line.includes(password)),
    [],
  )
})

test.serial('credentials from the configuration of Docker, and from its helper', async (t) => {
  const home = await mkdtemp(join(t.context.folder, 'docker-'))
  const env = { DOCKER_CONFIG: home, PATH: `${home}:${process.env.PATH}` }
  const { proxy, output, images, pusher } = await scene(t, { auth: true }, env)
  const config = (content: object) => writeFile(join(home, 'config.json'), JSON.stringify(content))
  await config({})
  const refused = await t.throwsAsync(pushImages(pusher, images, output))
  t.regex(refused?.message ?? '', /^push: .*(401|UNAUTHORIZED)/)

  const auth = Buffer.from(`${user}:${password}`).toString('base64')
  await config({ auths: { [proxy.address]: { auth: `${auth.slice(4)}` } } })
  const wrong = await t.throwsAsync(pushImages(pusher, images, output))
  t.false(wrong?.message.includes(password))
  await config({ auths: { [proxy.address]: { auth } } })
  await pushImages(pusher, images.slice(0, 1), output)

  const answer = JSON.stringify({ ServerURL: proxy.address, Username: user, Secret: password })
  const helper = join(home, 'docker-credential-test')
  await writeFile(helper, `#!/bin/sh\necho '${answer}'\n`)
  await chmod(helper, 0o755)
  await config({ credHelpers: { [proxy.address]: 'test' } })
  const pushed = await pushImages(pusher, images, output)
  t.is(pushed.length, images.length)
})

test.serial('credentials for a token', async (t) => {
  const { proxy, output, images, pusher } = await scene(t, {}, credentials)
  const challenge = `Bearer realm="http://${proxy.address}/token",service="test"`
  proxy.judge = (asked, { headers: { authorization } }) => {
    if (asked.startsWith('GET /token?')) {
      const isUser = authorization === `Basic ${btoa(`${user}:${password}`)}`
      return isUser ? { status: 200, body: '{"token": "granted"}' } : { status: 401 }
    }
    if (authorization === 'Bearer granted') return 'pass'
    return { status: 401, headers: { 'www-authenticate': challenge } }
  }
  await moveTags(pusher, await pushImages(pusher, images, output))
  const scopes = proxy.asked.filter((asked) => asked.startsWith('GET /token?'))
  t.true(scopes.some((asked) => asked.includes('scope=repository%3Ans%2Fkubelet%3Apush')))
})

test.serial('TLS by a certificate authority of its own', async (t) => {
  const tls = await makeCertificate(await mkdtemp(join(t.context.folder, 'tls-')))
  const registry = await startRegistry(t, { tls })
  const images = releaseImages(`${registry.address}/ns`, '--image', 'kube-proxy')
  const archives = await writeNoise(t.context.folder, images)
  const unknown = await Pusher.compile([], {})
  await t.throwsAsync(pushImages(unknown, images, archives), { message: /certificate|400/ })
  const trusting = await Pusher.compile([], { SSL_CERT_FILE: tls.certificate })
  await moveTags(trusting, await pushImages(trusting, images, archives))
})

const address = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === 'IPv4' && !one.internal)?.address
const withAddress = address === undefined ? test.serial.skip : test.serial

withAddress('nothing goes over HTTP without TLS to another machine, unless allowed', async (t) => {
  const registry = await startRegistry(t)
  const proxy = await startProxy(registry.address, address)
  t.teardown(() => proxy.close())
  const images = releaseImages(`${proxy.address}/ns`, '--image', 'kube-proxy')
  const output = await writeNoise(t.context.folder, images)
  const careful = await Pusher.compile([], credentials)
  const refused = await t.throwsAsync(pushImages(careful, images, output))
  t.regex(refused?.message ?? '', /--plain-http$/)
  t.deepEqual(proxy.asked, [])
  await pushImages(await Pusher.compile(['--plain-http'], {}), images, output)
  t.not(writes(proxy).length, 0)
})

test.serial('a registry that is busy, stalls or resets connections is asked again', async (t) => {
  const { proxy, output, images, pusher } = await scene(t)
  const faults: Verdict[] = [{ status: 503 }, 'cut', 'stall', { status: 429 }, { status: 500 }]
  proxy.judge = (asked) => (/PATCH|manifests/.test(asked) ? (faults.shift() ?? 'pass') : 'pass')
  const pushed = await pushImages(pusher, images, output)
  await moveTags(pusher, pushed)
  t.deepEqual(faults, [])
  t.deepEqual(await tagsOf(proxy, images), digests(pushed))
})

test.serial(
  'a push that is cut leaves the tags; the next one pushes what is missing',
  async (t) => {
    t.timeout(300_000)
    const { proxy, output, images, pusher } = await scene(t)
    const old = await pushImages(pusher, images, output)
    await moveTags(pusher, old)

    const next = await writeNoise(t.context.folder, images)
    proxy.asked.length = 0
    const isBlob = (asked: string) => asked.startsWith('PATCH ')
    // After four blobs the registry is gone.
    const isDone = (asked: string) => asked.startsWith('PUT ')
    proxy.judge = () => (proxy.asked.filter(isDone).length > 4 ? 'cut' : 'pass')
    await t.throwsAsync(pushImages(pusher, images, next), { message: /^push: / })
    proxy.judge = () => 'pass'
    t.deepEqual(await tagsOf(proxy, images), digests(old))

    proxy.asked.length = 0
    const pushed = await pushImages(pusher, images, next)
    const blobs = proxy.asked.filter(isBlob).length
    t.true(blobs > 0 && blobs < 12, `${blobs} of 12 blobs`)
    t.deepEqual(await tagsOf(proxy, images), digests(old))
    t.deepEqual(
      (await moveTags(pusher, pushed)).map(({ tag }) => tag),
      digests(old),
    )
    t.deepEqual(await tagsOf(proxy, images), digests(pushed))
  },
)

test.serial('all tags are moved or none', async (t) => {
  t.timeout(300_000)
  const { proxy, output, images, pusher } = await scene(t)
  const [first, second] = images as [ReleaseImage, ReleaseImage]
  const old = await pushImages(pusher, [second], output)
  await moveTags(pusher, old)

  const next = await writeNoise(t.context.folder, images)
  const pushed = await pushImages(pusher, images, next)
  const tag = `PUT /v2/ns/kubelet/manifests/${second.spec.tag}`
  proxy.judge = (asked) => (asked === tag ? { status: 403 } : 'pass')
  const failed = await t.throwsAsync(moveTags(pusher, pushed))
  t.regex(failed?.message ?? '', /^push: tag .*cni-static: .*403.*; every tag is as it was$/)
  t.true(proxy.asked.includes(`DELETE /v2/ns/kubelet/manifests/${first.spec.tag}`))
  t.deepEqual(await tagsOf(proxy, images), [undefined, old[0]?.digest])

  proxy.judge = () => 'pass'
  const third = await pushImages(pusher, images, await writeNoise(t.context.folder, images))
  await moveTags(pusher, pushed)
  proxy.judge = (asked) => (asked === tag ? { status: 403 } : 'pass')
  await t.throwsAsync(moveTags(pusher, third), { message: /every tag is as it was$/ })
  t.deepEqual(await tagsOf(proxy, images), digests(pushed))

  const missing = [{ ...pushed[0], digest: `sha256:${'0'.repeat(64)}` }, pushed[1]] as typeof pushed
  await t.throwsAsync(moveTags(pusher, missing), {
    message: /is not in the registry: push it first; no tag was moved$/,
  })
})

test.serial('v1.24.0 is built, released and pulled for every architecture', async (t) => {
  const registry = await startRegistry(t, { auth: true })
  t.timeout(3_600_000)
  const output = await mkdtemp(join(t.context.folder, 'dist-'))
  const repository = `${registry.address}/ns/kube-proxy`
  const flags = ['--k8s', 'v1.24.0', '--base', 'static', '--image', 'kube-proxy', '--json']
  const place = ['--registry', `${registry.address}/ns`, '--output', output]
  const release = async (...more: string[]) => {
    const { status, stdout, stderr } = await npm('release', [...flags, ...place, ...more], {
      env: credentials,
    })
    t.is(status, 0, stderr)
    t.false(`${stdout}${stderr}`.includes(password))
    return JSON.parse(stdout)
  }
  const ref = `${repository}:v1.24.0-static`
  const [planned] = await release('--dry-run')
  t.like(planned, { ref })
  t.deepEqual(await release('--shard', '1/1'), [planned])
  t.deepEqual(await release('--tags'), [{ ...planned, tag: 'new' }])
  t.deepEqual(await release(), [{ ...planned, tag: 'unchanged' }])

  const built = await readArchive(
    join(output, 'kube-proxy-v1.24.0-static.oci.tar'),
    join(output, 'unpacked'),
  )
  const containerd = await Containerd.start(join(t.context.folder, 'containerd'))
  t.teardown(() => containerd.stop())
  const access = ['--plain-http', '--user', `${user}:${password}`, '--snapshotter', 'native']
  for (const platform of ['linux/amd64', 'linux/arm64', 'linux/arm/v7']) {
    await containerd.ctr('images', 'pull', ...access, '--platform', platform, ref)
  }
  const listed = await containerd.ctr('images', 'list', `name==${ref}`)
  t.true(listed.includes(planned.digest))
  const content = await containerd.ctr('content', 'list', '--quiet')
  for (const { digest, layers } of built) {
    for (const blob of [digest, ...layers.map((layer) => layer.digest)]) {
      t.true(content.includes(blob), blob)
    }
  }
})

async function startRegistry(t: ReleaseTest, options: RegistryOptions = {}): Promise<Registry> {
  const { folder, program } = t.context
  const registry = await Registry.start(program, await mkdtemp(join(folder, 'data-')), options)
  t.teardown(() => registry.stop())
  return registry
}

/** A registry behind a proxy, a pusher, and archives of two images for it. */
async function scene(
  t: ReleaseTest,
  options: RegistryOptions = {},
  env: Record<string, string> = {},
) {
  t.timeout(120_000)
  const registry = await startRegistry(t, options)
  const proxy = await startProxy(registry.address)
  t.teardown(() => proxy.close())
  const variants = ['--image', 'kubelet', '--variant', 'base,cni']
  const images = releaseImages(`${proxy.address}/ns`, ...variants)
  const output = await writeNoise(t.context.folder, images)
  return { proxy, images, output, pusher: await Pusher.compile(['--patience=2s'], env) }
}

/** What tags name in the registry. */
function tagsOf(proxy: RegistryProxy, images: readonly ReleaseImage[]) {
  return Promise.all(
    images.map(async ({ spec }) => {
      const answer = await ask(proxy, `kubelet/manifests/${spec.tag}`)
      return answer.headers.get('docker-content-digest') ?? undefined
    }),
  )
}

async function holds(
  proxy: RegistryProxy,
  { spec }: ReleaseImage,
  digest: string,
): Promise<boolean> {
  const places = ['blobs', 'manifests'].map((kind) => `${spec.image}/${kind}/${digest}`)
  const answers = await Promise.all(places.map((place) => ask(proxy, place)))
  return answers.some(({ ok }) => ok)
}

function ask(proxy: RegistryProxy, path: string): Promise<Response> {
  const accept = ['index', 'manifest'].map((kind) => `application/vnd.oci.image.${kind}.v1+json`)
  return fetch(`http://${proxy.address}/v2/ns/${path}`, {
    method: 'HEAD',
    headers: { accept: accept.join() },
  })
}

function digests(rows: readonly { digest: string }[]): string[] {
  return rows.map(({ digest }) => digest)
}

function writes(proxy: RegistryProxy): string[] {
  return proxy.asked.filter((asked) => !/^(GET|HEAD) /.test(asked))
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

/** A certificate for 127.0.0.1 that is its own authority. */
async function makeCertificate(folder: string) {
  const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')]
  const subject = ['-subj', '/CN=registry', '-addext', 'subjectAltName=IP:127.0.0.1']
  const files = ['-out', certificate, '-keyout', key]
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  await succeed('openssl', ['req', ...kind, '-days', '1', ...subject, ...files])
  return { certificate, key }
}
