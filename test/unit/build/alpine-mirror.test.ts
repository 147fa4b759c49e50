import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { prepareMirror, reachableBases } from '../../../pipeline/build/alpine-mirror.js'
import { BuildError, UserError } from '../../../pipeline/facts/errors.js'
import { loadFacts } from '../../../pipeline/facts/load.js'
import type { Facts } from '../../../pipeline/facts/schema.js'
import { planImages } from '../../../pipeline/plan/images.js'
import type { BuildRequest } from '../../../pipeline/plan/request.js'
import { parseBuildRequest } from '../../_helpers/requests.js'

// The bases of a build that names none.
const facts = loadFacts()

async function mirror(t: ExecutionContext, listener: RequestListener): Promise<Facts> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return { ...facts, alpine: { ...facts.alpine, mirror: `http://127.0.0.1:${port}/alpine` } }
}

function request(flags = ''): BuildRequest {
  const args = `--k8s v1.24.0 ${flags}`.trim().split(' ')
  return parseBuildRequest(args, facts) as BuildRequest
}

test('all where the mirror of Alpine answers', async (t) => {
  const asked: string[] = []
  const known = await mirror(t, ({ method, url }, response) => {
    asked.push(`${method} ${url}`)
    response.writeHead(200, { etag: '"1"' }).end()
  })
  t.deepEqual(await reachableBases(request(), known), ['alpine3.23', 'static'])
  t.deepEqual(asked, ['HEAD /alpine/v3.23/main/x86_64/APKINDEX.tar.gz'])
})

test('Alpine is skipped where the mirror does not have that release', async (t) => {
  const known = await mirror(t, (_, response) => response.writeHead(404).end())
  t.deepEqual(await reachableBases(request(), known), ['static'])
})

test('Alpine is skipped where the mirror does not answer within seconds', async (t) => {
  t.timeout(20_000)
  const known = await mirror(t, () => {})
  const started = Date.now()
  t.deepEqual(await reachableBases(request(), known), ['static'])
  t.true(Date.now() - started < 10_000)
})

test('the base asked for, without asking a mirror', async (t) => {
  const known = await mirror(t, () => t.fail())
  t.deepEqual(await reachableBases(request('--base static'), known), ['static'])
  t.deepEqual(await reachableBases(request('--base alpine3.23'), known), ['alpine3.23'])
})

test('Alpine where something is asked for that only it can give', async (t) => {
  const known = await mirror(t, () => t.fail())
  t.deepEqual(await reachableBases(request('--alpine-mirror http://127.0.0.1:1'), known), [
    'alpine3.23',
  ])
})

const alpine = '--base alpine3.23 --image kubelet --variant base --arch amd64,arm64'

function prepare(flags: string, known: Facts) {
  const asked = request(`${alpine} ${flags}`.trim())
  return prepareMirror(asked, known, planImages(asked, known))
}

test('the password of a mirror is sent to it, and is in no message', async (t) => {
  const given: (string | undefined)[] = []
  const known = await mirror(t, ({ headers }, response) => {
    given.push(headers.authorization)
    response.writeHead(given.length > 4 ? 403 : 200, { etag: '"1"' }).end()
  })
  const url = known.alpine.mirror.replace('//', '//user:s3cret@')
  const prepared = await prepare(`--alpine-mirror ${url}`, known)
  t.deepEqual(given, Array(4).fill(`Basic ${btoa('user:s3cret')}`))
  t.false(JSON.stringify({ ...prepared, inner: '' }).includes('s3cret'))
  const error = await t.throwsAsync(prepare(`--alpine-mirror ${url}`, known))
  t.is(
    error.message,
    `the Alpine mirror answers 403 for ${known.alpine.mirror}/v3.23/main/x86_64/APKINDEX.tar.gz: check --alpine-mirror, or choose --base static`,
  )
})

test('the state of a mirror is that of all indexes that are used', async (t) => {
  const known = await mirror(t, ({ url }, response) =>
    response.writeHead(200, { etag: `"${url?.split('/').slice(3, 5).join()}"` }).end(),
  )
  t.like(await prepare('', known), {
    name: known.alpine.mirror,
    state: ['main,x86_64', 'main,aarch64', 'community,x86_64', 'community,aarch64']
      .map((name) => `"${name}"  `)
      .join('\n'),
  })
})

test('no mirror is asked for a static base', async (t) => {
  const known = await mirror(t, () => t.fail())
  const asked = request('--base static')
  t.is(await prepareMirror(asked, known, planImages(asked, known)), undefined)
})

const refuses = test.macro(async (t, flags: string, message: string) => {
  const known = await mirror(t, () => t.fail())
  await t.throwsAsync(prepare(flags, known), { instanceOf: UserError, message })
})

test(
  'a key that is not there',
  refuses,
  '--alpine-key nothing.pub',
  '--alpine-key nothing.pub cannot be read: name a file that is there',
)
test(
  'a key that is none',
  refuses,
  '--alpine-key package.json',
  '--alpine-key package.json is no public key in PEM format: take one that begins with BEGIN PUBLIC KEY',
)
test(
  'a lock that is none',
  refuses,
  '--alpine-lock package.json',
  '--alpine-lock package.json is not the .lock.json of a build (base: Invalid input: expected string, received undefined): take one that a build wrote',
)

test('a mirror without the release is a wrong request', async (t) => {
  const known = await mirror(t, (_, response) => response.writeHead(404).end())
  await t.throwsAsync(prepare('', known), {
    instanceOf: UserError,
    message: `the Alpine mirror answers 404 for ${known.alpine.mirror}/v3.23/main/x86_64/APKINDEX.tar.gz: check --alpine-mirror, or choose --base static`,
  })
})

test('a mirror that fails is not', async (t) => {
  const known = await mirror(t, (_, response) => response.writeHead(503).end())
  await t.throwsAsync(prepare('', known), { instanceOf: BuildError })
})
