import { existsSync, openSync } from 'node:fs'
import { mkdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { BuildError } from '../facts/errors.js'
import { withLock } from '../host/lock.js'
import { cacheDirectory, logDirectory } from '../host/paths.js'
import { run, start as startProcess } from '../host/process.js'
import { requirePrograms, systemPath } from '../host/tools.js'
import { binaryDirectory, buildBinaries } from './compile.js'
import { answers } from './probe.js'

/** The engine that this project builds and runs itself, contained in namespaces of its own. */
export interface EmbeddedEngine {
  /** Process id of its supervisor on the host. */
  pid: number
  /** Directory with its programs; another one than the project's means an engine of another version. */
  binaries: string
  /** Address for `_EXPERIMENTAL_DAGGER_RUNNER_HOST`. */
  address: string
}

/** What a later command must know to stop the engine. */
interface EngineRecord extends EmbeddedEngine {
  madeCniDirectory: boolean
}

const engineDirectory = join(cacheDirectory, 'engine')
const runDirectory = join(engineDirectory, 'run')
const lockFile = join(engineDirectory, 'lock')
const recordFile = join(runDirectory, 'engine.json')
const socket = join(runDirectory, 'engine.sock')
const logFile = join(logDirectory, 'engine.log')
const containScript = fileURLToPath(new URL('contain.sh', import.meta.url))
// CNI keeps its state here. Only the engine's own tmpfs is written, but the mount needs the directory.
const cniDirectory = '/var/lib/cni'

/** Whether the embedded engine can run here; otherwise what is in the way. */
export function whyNotEmbedded(): string | undefined {
  if (process.platform !== 'linux') return `it needs Linux, this is ${process.platform}`
  if (process.getuid?.() !== 0) return 'it needs root'
  if (!existsSync('/dev/net/tun')) return 'it needs /dev/net/tun: load the kernel module tun'
  return undefined
}

/** The running engine, if it answers. */
export async function runningEngine(): Promise<EmbeddedEngine | undefined> {
  const record = await readRecord()
  return record !== undefined && (await answers({ path: socket })) ? record : undefined
}

/** Starts the engine unless it runs already; builds and installs what it needs. Safe when commands race. */
export async function startEmbedded(): Promise<EmbeddedEngine> {
  const current = await upToDateEngine()
  if (current !== undefined) return current
  const obstacle = whyNotEmbedded()
  if (obstacle !== undefined)
    throw new BuildError(`the embedded engine cannot run here: ${obstacle}`)
  return withLock(lockFile, async () => {
    const other = await upToDateEngine()
    if (other !== undefined) return other
    await requirePrograms({
      dnsmasq: 'dnsmasq-base',
      ip: 'iproute2',
      iptables: 'iptables',
      runc: 'runc',
      slirp4netns: 'slirp4netns',
    })
    const binaries = await buildBinaries()
    await stop()
    return start(binaries)
  })
}

/** Stops the engine, if it runs, and removes what it left on the host; its caches stay. */
export async function stopEmbedded(): Promise<boolean> {
  return withLock(lockFile, stop)
}

async function upToDateEngine(): Promise<EmbeddedEngine | undefined> {
  const engine = await runningEngine()
  return engine?.binaries === (await binaryDirectory()) ? engine : undefined
}

async function start(binaries: string): Promise<EmbeddedEngine> {
  await mkdir(join(runDirectory, 'private'), { recursive: true })
  await mkdir(logDirectory, { recursive: true })
  const madeCniDirectory = (await mkdir(cniDirectory, { recursive: true })) !== undefined
  const log = openSync(logFile, 'w')
  const supervisor = startProcess(
    'unshare',
    [
      ...'--pid --fork --kill-child --mount --propagation=slave --mount-proc'.split(' '),
      containScript,
    ],
    {
      detached: true,
      stdio: ['ignore', log, log],
      env: {
        ...process.env,
        PATH: systemPath(),
        CACHE: cacheDirectory,
        RUN: runDirectory,
        BIN: binaries,
      },
    },
  )
  supervisor.unref()
  const record: EngineRecord = {
    pid: supervisor.pid as number,
    binaries,
    address: `unix://${socket}`,
    madeCniDirectory,
  }
  await writeFile(recordFile, JSON.stringify(record))
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(100)) {
    if (await answers({ path: socket })) return record
    if (supervisor.exitCode !== null) break
  }
  await stop()
  const lines = (await readFile(logFile, 'utf8')).trimEnd().split('\n')
  throw new BuildError(
    `the embedded engine did not start; the end of ${logFile}:\n${lines.slice(-15).join('\n')}`,
  )
}

async function stop(): Promise<boolean> {
  const record = await readRecord()
  if (record !== undefined) {
    await endSupervisor(record.pid)
    await removeControlGroups()
    if (record.madeCniDirectory) await rmdir(cniDirectory).catch(() => {})
  }
  await rm(runDirectory, { recursive: true, force: true })
  return record !== undefined
}

/** Asks the supervisor to end, which ends the engine orderly; kills it after half a minute. */
async function endSupervisor(pid: number): Promise<void> {
  if (!(await isSupervisor(pid))) return
  // The first process inside has the signal handler; `unshare` only waits for it.
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  for (const child of children.split(' ').filter(Boolean)) process.kill(Number(child), 'SIGTERM')
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(100)) {
    if (!(await isSupervisor(pid))) return
  }
  process.kill(pid, 'SIGKILL')
  while (await isSupervisor(pid)) await sleep(100)
}

/** The engine's containers run in control groups named `buildkit`, which the kernel keeps when they are empty. */
async function removeControlGroups(): Promise<void> {
  const args = ['/sys/fs/cgroup', '-depth', '-type', 'd', '-path', '*/buildkit*']
  const { stdout } = await run('find', args)
  for (const folder of stdout.split('\n').filter(Boolean)) await rmdir(folder).catch(() => {})
}

/** Whether a process is the supervisor of this cache directory's engine, whichever checkout started it. */
async function isSupervisor(pid: number): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
  return environment.split('\0').includes(`RUN=${runDirectory}`)
}

async function readRecord(): Promise<EngineRecord | undefined> {
  const text = await readFile(recordFile, 'utf8').catch(() => undefined)
  return text === undefined ? undefined : (JSON.parse(text) as EngineRecord)
}
