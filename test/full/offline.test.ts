import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { compareDigests } from '../../pipeline/build/compare-builds.js'
import { loadFacts } from '../../pipeline/facts/load.js'
import { lockHash } from '../../pipeline/inputs/lock.js'
import { planImages } from '../../pipeline/plan/images.js'
import type { BuildRequest } from '../../pipeline/plan/request.js'
import { readRows } from '../../pipeline/sizes/content.js'
import { loadMeasured } from '../../pipeline/sizes/figures.js'
import { recordedRows } from '../../pipeline/sizes/recorded.js'
import { baseImage, npm, project, run, succeed } from '../_helpers/command.js'
import { parseBuildRequest } from '../_helpers/requests.js'

// A network with a loopback and no routes, as on a machine whose cable is out.
const script = `ip link set lo up
trap 'npm run engine -- down' EXIT
npm run build -- "$@"`

test.serial('a clone with empty caches and no network builds what is recorded', async (t) => {
  t.timeout(5_400_000)
  const folder = await mkdtemp(join(tmpdir(), 'kubelet-images-offline-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const image = [...baseImage, '--arch', process.arch === 'x64' ? 'amd64' : 'arm64']

  const made = await npm('inputs', ['bundle', ...image, '--output', folder])
  t.is(made.status, 0, made.stderr)
  const [bundle = ''] = (await readdir(folder)).filter((name) => name.endsWith('.bundle.tar'))
  const cwd = join(folder, 'clone')
  await succeed('git', ['clone', '--quiet', project, cwd])

  const output = join(folder, 'dist')
  const offline = ['--offline', join(folder, bundle), '--output', output]
  const args = ['--net', 'sh', '-euc', script, 'sh', ...image, ...offline]
  const env = {
    XDG_CACHE_HOME: join(folder, 'cache'),
    GOMODCACHE: join(folder, 'gomod'),
    GOCACHE: join(folder, 'gocache'),
    npm_config_cache: join(folder, 'npm'),
  }
  const { status, stderr } = await run('unshare', args, { cwd, env })
  t.is(status, 0, stderr)

  const facts = loadFacts()
  const request = parseBuildRequest([...image], facts) as BuildRequest
  const recorded = recordedRows(planImages(request, facts), loadMeasured(), lockHash())
  const digests = compareDigests(recorded, await readRows(output))
  t.is(digests.length, 1)
  for (const { before, after } of digests) t.is(after, before)
})
