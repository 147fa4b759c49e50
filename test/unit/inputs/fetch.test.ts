import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { fetchInputs } from '../../../pipeline/inputs/fetch.js'
import type { LockedFile } from '../../../pipeline/inputs/lock.js'
import { storedPath } from '../../../pipeline/inputs/store.js'

// Servers that fail as mirrors do. The first place is the user's mirror, the second the archive's own.
const content = Buffer.from('a package')
const sum = (data: Buffer) => createHash('sha256').update(data).digest('hex')
const file: LockedFile = {
  archive: 'debian',
  path: 'pool/main/l/libstdc++6_1%3a2.deb',
  size: content.length,
  sha256: sum(content),
  package: 'libstdc++6',
  version: '1:2',
  architecture: 'amd64',
  source: 'gcc 1:2',
  locked: '20261125T000000Z',
  for: ['builder/amd64'],
}

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown
const good: Answer = (_, response) => response.end(content)
const status =
  (code: number): Answer =>
  (_, response) => {
    response.statusCode = code
    response.end('no')
  }

async function serve(answer: Answer) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url as string)
    answer(request, response)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, asked, close: () => server.close() }
}

async function fetching(
  mirror: Answer,
  archive: Answer,
  { before, times = 1 }: { before?: (store: string) => unknown; times?: number } = {},
) {
  const [first, second] = [await serve(mirror), await serve(archive)]
  const store = mkdtempSync(join(tmpdir(), 'kubelet-images-store-'))
  before?.(store)
  const said: string[] = []
  const places = { debian: [`${second.url}/debian`], 'debian-security': [''], pypi: [''] }
  const fetchOnce = () =>
    fetchInputs([file], {
      sources: { places: { ...places, pypiIndex: '' } },
      say: (text) => said.push(text),
      store,
      environment: { DEBIAN_MIRROR: first.url.replace('//', '//user:s3cret@') },
    })
  try {
    await Promise.all(Array.from({ length: times }, fetchOnce))
    const kept = readFileSync(storedPath(file, store))
    return { kept, said, asked: [first.asked, second.asked], files: readdirSync(store) }
  } catch (error) {
    const files = readdirSync(store).filter((name) => name !== 'lock')
    return {
      error: error as Error,
      said,
      asked: [first.asked, second.asked],
      files,
      places: [first.url, second.url],
    }
  } finally {
    first.close()
    second.close()
    spawnSync('umount', ['--quiet', store])
    rmSync(store, { recursive: true, force: true })
  }
}

test('a file comes from the mirror, with its name as URLs have it, and nobody else is asked', async (t) => {
  let authorization: string | undefined
  const { kept, asked } = await fetching((request, response) => {
    authorization = request.headers.authorization
    response.end(content)
  }, good)
  t.deepEqual(kept, content)
  t.deepEqual(asked, [['/pool/main/l/libstdc%2B%2B6_1%253a2.deb'], []])
  t.is(authorization, `Basic ${btoa('user:s3cret')}`)
})

for (const code of [403, 404]) {
  test(`a mirror that answers ${code} is asked once, then the archive`, async (t) => {
    const { kept, asked } = await fetching(status(code), good)
    t.deepEqual(kept, content)
    t.deepEqual(
      asked?.map((list) => list.length),
      [1, 1],
    )
  })
}

test('a mirror that answers 500 is asked three times, then the archive', async (t) => {
  const { kept, asked } = await fetching(status(500), good)
  t.deepEqual(kept, content)
  t.deepEqual(
    asked?.map((list) => list.length),
    [3, 1],
  )
})

test('an answer that is cut short counts as none', async (t) => {
  const cut: Answer = (_, response) => {
    response.setHeader('content-length', content.length)
    response.write(content.subarray(0, 3), () => response.destroy())
  }
  const { kept, asked } = await fetching(cut, good)
  t.deepEqual(kept, content)
  t.is(asked?.[0]?.length, 3)
})

test('another file under the same name stops the build, and nothing of it is kept', async (t) => {
  const other = Buffer.from('A PACKAGE')
  const wrong: Answer = (_, response) => response.end(other)
  const { error, files, places } = await fetching(wrong, wrong)
  t.is(error?.name, 'BuildError')
  t.is(
    error?.message,
    `libstdc++6 1:2 (amd64) is not the file that is locked: expected sha256 ${file.sha256} of 9 bytes, found sha256 ${sum(other)} of 9 bytes at ${places?.[0]}/pool/main/l/libstdc%2B%2B6_1%253a2.deb: check the network, set DEBIAN_MIRROR or PIP_INDEX_URL to a mirror that has it, or make a new lock by npm run update -- --inputs`,
  )
  t.deepEqual(files, [])
})

test('an answer without end is no file either', async (t) => {
  const endless: Answer = (_, response) => response.write(Buffer.alloc(1 << 16))
  const { error } = await fetching(endless, status(404))
  t.regex(error?.message ?? '', /found more than 9 bytes/)
})

test('a file that no place has is told in one line, without passwords', async (t) => {
  const { error } = await fetching(status(404), status(403))
  t.regex(
    error?.message ?? '',
    /^libstdc\+\+6 1:2 \(amd64\) cannot be fetched \(http.*: 404; http.*: 403\): /,
  )
  t.notRegex(error?.message ?? '', /s3cret|user|\n/)
})

test('a cached file that was truncated or replaced is fetched again', async (t) => {
  for (const damage of ['a pack', 'b package']) {
    const { kept, said } = await fetching(good, good, {
      before: (store) => writeFileSync(storedPath(file, store), damage),
    })
    t.deepEqual(kept, content)
    t.is(said?.[0], 'the cached file of libstdc++6 1:2 (amd64) is damaged')
  }
})

test('commands that run at once fetch a file once', async (t) => {
  const { kept, asked } = await fetching(good, good, { times: 3 })
  t.deepEqual(kept, content)
  t.deepEqual(
    asked?.map((list) => list.length),
    [1, 0],
  )
})

const asRoot = process.getuid?.() === 0 ? test : test.skip
asRoot('a full disk is told with what to do, and nothing of the file is kept', async (t) => {
  const { error, files, asked } = await fetching(good, good, {
    before: (store) => {
      const options = ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', store]
      t.is(spawnSync('mount', options).status, 0)
      // Room for the lock alone, and only for its name.
      writeFileSync(join(store, 'ballast'), Buffer.alloc(4096))
    },
  })
  t.is(error?.name, 'BuildError')
  t.regex(
    error?.message ?? '',
    /^\/.* cannot hold libstdc\+\+6 1:2 \(amd64\) of 0\.0 MB \(ENOSPC\): free some space, or set XDG_CACHE_HOME to another disk$/,
  )
  t.deepEqual(files, ['ballast'])
  t.is(asked?.[1]?.length, 0, 'no other place is asked')
})
