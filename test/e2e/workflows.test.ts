import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import anyTest, { type TestFn } from 'ava'
import { parse } from 'yaml'
import { requirePrograms } from '../../pipeline/host/tools.js'
import { runtimes } from '../../pipeline/recipe/container.js'
import { recipeModes } from '../../pipeline/recipe/request.js'
import { project, run, succeed } from '../_helpers/command.js'
import { compileRegistry, password, Registry, user } from '../_helpers/registry/registry.js'

// The workflows are right as far as their checker knows, and what they run is run here, on a registry on loopback.
interface Workflow {
  permissions: Record<string, string>
  jobs: Record<string, Job>
}

interface Job {
  permissions: Record<string, string>
  steps: Step[]
}

interface Step {
  name?: string
  uses?: string
  run?: string
}

const test = anyTest as TestFn<{ folder: string }>
const folder = join(project, '.github/workflows')

test.before(async (t) => {
  t.context = { folder: await mkdtemp(join(tmpdir(), 'kubelet-images-workflows-')) }
})

test.after.always((t) => rm(t.context.folder, { recursive: true, force: true }))

test.serial('actionlint has nothing to say', async (t) => {
  t.timeout(600_000)
  // It looks at the commands of steps by it.
  await requirePrograms({ shellcheck: 'shellcheck' })
  const env = { GOBIN: t.context.folder, GOFLAGS: '', GOTOOLCHAIN: 'auto' }
  const module = 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.12'
  await succeed('go', ['install', module], { cwd: '/', env })
  t.is(await succeed(join(t.context.folder, 'actionlint'), ['-no-color']), '')
})

test.serial('shellcheck has nothing to say, of our scripts nor of the recipes', async (t) => {
  t.timeout(600_000)
  await requirePrograms({ shellcheck: 'shellcheck' })
  const scripts = (await succeed('git', ['ls-files', '*.sh', '.ci/run'])).trim().split('\n')
  t.true(scripts.length > 20)
  t.is((await run('shellcheck', ['--external-sources', ...scripts])).stdout, '')
  for (const mode of recipeModes) {
    for (const runtime of runtimes) {
      const k8s = runtime === 'docker' ? 'v1.23.6' : 'v1.24.0'
      const recipe = await succeed('node', [
        'scripts/run.mjs',
        'recipe',
        ...words({ mode, runtime, k8s }),
      ])
      const flags = ['--shell=sh', '--severity=warning', '-']
      t.is((await run('shellcheck', flags, { input: recipe })).stdout, '', `${mode} ${runtime}`)
    }
  }
})

function words(values: Record<string, string>): string[] {
  return Object.entries(values).map(([name, value]) => `--${name}=${value}`)
}

test.serial('actions are pinned, and permissions are given by job', async (t) => {
  for (const file of await readdir(folder)) {
    const text = await readFile(join(folder, file), 'utf8')
    const uses = text.split('\n').filter((line) => line.includes('uses:'))
    for (const line of uses) t.regex(line, /^ +- uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v[\d.]+$/)
    const { permissions, jobs } = parse(text) as Workflow
    t.deepEqual(permissions, {}, file)
    for (const job of Object.values(jobs)) t.truthy(job.permissions)
  }
})

test.serial('a release on a tag: shards, then tags', async (t) => {
  t.timeout(3_600_000)
  const registry = await Registry.start(await compileRegistry(t.context.folder), t.context.folder, {
    auth: true,
  })
  t.teardown(() => registry.stop())
  const output = join(t.context.folder, 'dist')
  const { jobs } = parse(await readFile(join(folder, 'release.yml'), 'utf8')) as Workflow
  const env = {
    GITHUB_REF_NAME: 'kubernetes-v1.24.0',
    REGISTRY: `${registry.address}/nodes`,
    REGISTRY_USERNAME: user,
    REGISTRY_PASSWORD: password,
    // What this machine can build soon.
    RELEASE_FLAGS: `--base static --image kube-proxy --output ${output}`,
    RUNNER_TEMP: t.context.folder,
    SHARD: '1/1',
  }
  await runSteps(jobs.shard as Job, env)
  const tag = `http://${registry.address}/v2/nodes/kube-proxy/manifests/v1.24.0-static`
  const headers = {
    accept: 'application/vnd.oci.image.index.v1+json',
    authorization: `Basic ${btoa(`${user}:${password}`)}`,
  }
  t.is((await fetch(tag, { headers })).status, 404, 'a shard moves no tag')

  await runSteps(jobs.tags as Job, env)
  const answer = await fetch(tag, { headers })
  t.is(answer.status, 200)
  const notes = await readFile(join(t.context.folder, 'notes.md'), 'utf8')
  t.true(notes.includes(answer.headers.get('docker-content-digest') as string))
  t.regex(notes, /^\| kube-proxy \| amd64 \| \d+\.\d\d \|/m)
})

test.serial('the check for releases', async (t) => {
  t.timeout(120_000)
  const { jobs } = parse(await readFile(join(folder, 'update.yml'), 'utf8')) as Workflow
  const [check] = (jobs.releases as Job).steps.filter(({ run }) => run?.includes('npm run'))
  const output = join(t.context.folder, 'output')
  await runSteps({ permissions: {}, steps: [check as Step] }, { GITHUB_OUTPUT: output })
  t.regex(await readFile(output, 'utf8'), /^releases=(v1\.\d+\.\d+ ?)*\n$/)
})

/** Runs the commands of a job in the checkout. */
async function runSteps({ steps }: Job, env: Record<string, string>): Promise<void> {
  // What is installed here is what this test runs on.
  const commands = steps.flatMap(({ run }) => (run?.startsWith('npm ci') ? [] : (run ?? [])))
  for (const run of commands) await succeed('bash', ['-e', '-c', run], { env })
}
