import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import anyTest, { type TestFn } from 'ava'
import { binaryDirectory } from '../../pipeline/engine/compile.js'
import { startEmbedded } from '../../pipeline/engine/embedded.js'
import { takeLock } from '../../pipeline/host/lock.js'
import { cacheDirectory } from '../../pipeline/host/paths.js'
import { npm, run, succeed } from '../_helpers/command.js'

// The embedded engine's life, on a cache directory of its own, so that no other engine is disturbed.
const test = anyTest as TestFn<{ cache: string; host: HostState }>

test.before(async (t) => {
  t.timeout(1_200_000)
  const cache = await mkdtemp(join(tmpdir(), 'kubelet-images-engine-'))
  // Programs compiled before serve this test too; a clean cache directory would only compile them again.
  await startEmbedded()
  const binaries = await binaryDirectory()
  await mkdir(join(cache, 'kubelet-images/engine'), { recursive: true })
  await cp(binaries, binaries.replace(cacheDirectory, join(cache, 'kubelet-images')), {
    recursive: true,
  })
  t.context = { cache, host: await hostState() }
})

test.after.always(async (t) => {
  await npm('engine', ['down'], { env: { XDG_CACHE_HOME: t.context.cache } })
  await rm(t.context.cache, { recursive: true, force: true })
})

test.serial('status says that no engine runs', async (t) => {
  const { status, stdout } = await engine(t.context.cache, 'status')
  t.is(stdout, 'not running\n')
  t.is(status, 1)
})

test.serial('two commands that race start one engine', async (t) => {
  t.timeout(120_000)
  const [one, two] = await Promise.all([
    engine(t.context.cache, 'up'),
    engine(t.context.cache, 'up'),
  ])
  t.is(one.status, 0, one.stderr)
  t.is(two.status, 0, two.stderr)
  t.regex(one.stdout, /^running\tpid \d+\tunix:\/\//)
  t.is(one.stdout, two.stdout)
})

test.serial('a second up finds the engine of the first', async (t) => {
  const before = await engine(t.context.cache, 'status')
  const { status, stdout } = await engine(t.context.cache, 'up')
  t.is(status, 0)
  t.is(stdout, before.stdout)
})

test.serial('a running engine leaves the host as it was', async (t) => {
  t.deepEqual(await hostState(), t.context.host)
})

test.serial('down leaves no process, mount, interface, rule or file', async (t) => {
  t.timeout(60_000)
  const { cache, host } = t.context
  const { status, stdout } = await engine(cache, 'down')
  t.is(status, 0)
  t.is(stdout, 'stopped\n')
  t.deepEqual(await hostState(), host)
  t.is((await run('pgrep', ['--full', cache])).stdout, '')
  t.notRegex(await succeed('findmnt', ['--list', '--output=TARGET,SOURCE']), new RegExp(cache))
  t.false(existsSync(join(cache, 'kubelet-images/engine/run')))
  t.is((await engine(cache, 'down')).stdout, 'not running\n')
})

test.serial('an engine in use is not stopped; one whose record was cut short is', async (t) => {
  t.timeout(120_000)
  const { cache, host } = t.context
  await engine(cache, 'up')
  const folder = join(cache, 'kubelet-images/engine')
  // As another command holds it, of whichever checkout.
  const free = await takeLock(join(folder, 'use'), { shared: true })
  const { status, stderr } = await engine(cache, 'down')
  t.is(status, 1)
  t.regex(stderr, /^the embedded engine is in use by another command: /m)
  t.is((await engine(cache, 'status')).status, 0)
  await free?.()
  await writeFile(join(folder, 'run/engine.json'), '')
  t.is((await engine(cache, 'down')).stdout, 'stopped\n')
  t.deepEqual(await hostState(), host)
})

test.serial('an engine that was killed is replaced', async (t) => {
  t.timeout(120_000)
  const { cache, host } = t.context
  const pid = Number(/pid (\d+)/.exec((await engine(cache, 'up')).stdout)?.[1])
  process.kill(pid, 'SIGKILL')
  const { status, stdout } = await engine(cache, 'up')
  t.is(status, 0)
  t.not(Number(/pid (\d+)/.exec(stdout)?.[1]), pid)
  t.is((await engine(cache, 'down')).status, 0)
  t.deepEqual(await hostState(), host)
})

test('a command that does not exist', async (t) => {
  const { status, stderr } = await npm('engine', ['upp'])
  t.is(status, 2)
  t.is(stderr, 'unknown command "upp": choose from up, status, down. Did you mean up?\n')
})

interface HostState {
  [fact: string]: string | string[]
}

function engine(cache: string, command: string) {
  return npm('engine', [command], { env: { XDG_CACHE_HOME: cache } })
}

/** Everything of the host that an engine might change. */
async function hostState(): Promise<HostState> {
  const rules = ['iptables-nft-save', 'iptables-legacy-save', 'ip6tables-nft-save']
  const tables = await Promise.all(rules.map(async (save) => (await run(save, [])).stdout))
  // What is mounted below /tmp and /run/netns comes and goes with others; the engine's directory is looked at below.
  const mounts = await succeed('findmnt', ['--noheadings', '--list', '--output=TARGET'])
  return {
    rules: tables
      .flatMap((table) => table.split('\n').filter((line) => /^[-*:]/.test(line)))
      .map(withoutCounters),
    interfaces: await succeed('ip', ['-oneline', '-brief', 'link']),
    mounts: mounts.split('\n').filter((target) => !/^\/(run\/netns|tmp)\//.test(target)),
    resolver: await succeed('cat', ['/etc/resolv.conf']),
    forwarding: await succeed('cat', ['/proc/sys/net/ipv4/ip_forward']),
    etc: (await readdir('/etc')).sort(),
    run: (await readdir('/run')).sort(),
    opt: (await readdir('/opt')).sort(),
    cni: existsSync('/var/lib/cni') ? (await readdir('/var/lib/cni')).sort() : [],
  }
}

function withoutCounters(line: string): string {
  return line.replace(/\[\d+:\d+\]/, '')
}
