import { existsSync, openSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { BuildError } from '../facts/errors.js'
import { replaceFiles } from '../host/files.js'
import { takeLock, withLock } from '../host/lock.js'
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
// Whoever uses the engine shares it, and keeps others from stopping the engine.
const useFile = join(engineDirectory, 'use')
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

let endUse: (() => Promise<void>) | undefined

/**
 * Starts the engine unless it runs already; builds and installs what it needs. Until this process ends nobody else stops it. Safe when
 * commands race. Throws a BuildError.
 */
export async function startEmbedded(): Promise<EmbeddedEngine> {
  const obstacle = whyNotEmbedded()
  if (obstacle !== undefined)
    throw new BuildError(`the embedded engine cannot run here: ${obstacle}`)
  return withLock(lockFile, async () => {
    const current = await upToDateEngine()
    if (current !== undefined) {
      endUse ??= await takeLock(useFile, { shared: true })
      return current
    }
    await requirePrograms({
      dnsmasq: 'dnsmasq-base',
      ip: 'iproute2',
      iptables: 'iptables',
      runc: 'runc',
      slirp4netns: 'slirp4netns',
    })
    const binaries = await buildBinaries()
    await stopUnused()
    const engine = await start(binaries)
    endUse ??= await takeLock(useFile, { shared: true })
    return engine
  })
}

/**
 * Stops the engine, if it runs, and removes what it left on the host; its caches stay. Throws a BuildError where another process uses it.
 */
export async function stopEmbedded(): Promise<boolean> {
  return withLock(lockFile, stopUnused)
}

/** Stops what no other process uses; this one's use ends with it. */
async function stopUnused(): Promise<boolean> {
  await endUse?.()
  endUse = undefined
  const free = await takeLock(useFile, { now: true })
  if (free === undefined) {
    throw new BuildError(
      'the embedded engine is in use by another command: wait until that has ended, or end it, and try again',
    )
  }
  try {
    return await stop()
  } finally {
    await free()
  }
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
  await replaceFiles({ [recordFile]: JSON.stringify(record) })
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
  const pid = record?.pid ?? (await findSupervisor())
  if (pid !== undefined) {
    await endSupervisor(pid)
    await removeControlGroups()
    if (record?.madeCniDirectory) await rmdir(cniDirectory).catch(() => {})
  }
  await rm(runDirectory, { recursive: true, force: true })
  return pid !== undefined
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

/** The supervisor of an engine whose record was lost: `unshare`, whose child has the same environment. */
async function findSupervisor(): Promise<number | undefined> {
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || !(await isSupervisor(Number(name)))) continue
    const program = await readFile(`/proc/${name}/comm`, 'utf8').catch(() => '')
    if (program.trim() === 'unshare') return Number(name)
  }
  return undefined
}

/** What is known of the engine; nothing where the file is not there or was cut short. */
async function readRecord(): Promise<EngineRecord | undefined> {
  try {
    return JSON.parse(await readFile(recordFile, 'utf8')) as EngineRecord
  } catch {
    return undefined
  }
}
