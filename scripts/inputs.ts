import { mkdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { table } from 'table'
import { verifyOutput } from '../pipeline/build/prepare.js'
import { writeBundle } from '../pipeline/build/write-bundle.js'
import { BuildError } from '../pipeline/facts/errors.js'
import { parseArch } from '../pipeline/facts/platform.js'
import type { Facts } from '../pipeline/facts/schema.js'
import { line } from '../pipeline/host/progress.js'
import { fetchInputs } from '../pipeline/inputs/fetch.js'
import { describeFile, filesFor, type LockedFile, loadLock } from '../pipeline/inputs/lock.js'
import { purposesOf } from '../pipeline/inputs/needed.js'
import { notStored, sha256Of, storeDirectory } from '../pipeline/inputs/store.js'
import { planImages } from '../pipeline/plan/images.js'
import { type BuildRequest, offlineBases } from '../pipeline/plan/request.js'
import { megabytes } from '../pipeline/sizes/rows.js'

export interface InputsRequest {
  command: 'list' | 'fetch' | 'verify' | 'bundle'
  /** What to build; none where everything is meant. */
  build?: BuildRequest
  json: boolean
}

type Asked = InputsRequest & { facts: Facts }

const commands: Record<InputsRequest['command'], (asked: Asked) => unknown> = {
  list(asked) {
    const files = filesOf(asked)
    const rows = files.map((file) => [
      file.package,
      file.version,
      file.architecture,
      file.size,
      `${file.archive}/${file.path}`,
    ])
    const head = ['package', 'version', 'architecture', 'bytes', 'file']
    print(asked.json ? `${JSON.stringify(files, null, 2)}\n` : table([head, ...rows]))
  },
  async fetch(asked) {
    const files = filesOf(asked)
    await fetchInputs(files, { sources: asked.facts.sources, say: line })
    print(`${sumOf(files)} are in ${storeDirectory}\n`)
  },
  async verify(asked) {
    const files = filesOf(asked)
    const faults = await notStored(files)
    if (faults.length === 0) return print(`${sumOf(files)} are as the lock names them\n`)
    const lines = faults.map(({ file, state }) => `${describeFile(file)}: ${state}`)
    throw new BuildError([...lines, 'npm run inputs -- fetch fetches them'].join('\n'))
  },
  async bundle({ facts, build }) {
    // Without a release there is no such request.
    const asked = build as BuildRequest
    const named = asked.basesNamed ? asked.bases : undefined
    const request = { ...asked, bases: offlineBases(named, facts) }
    const specs = planImages(request, facts)
    verifyOutput(resolve(request.output))
    const { version } = request.kubernetes
    const file = join(
      request.output,
      `kubelet-images-${version}-${parseArch(process.arch)}.bundle.tar`,
    )
    await mkdir(request.output, { recursive: true })
    await writeBundle(request, facts, specs, resolve(file))
    const { size } = await stat(file)
    print(`${file}: ${megabytes(size)}, sha256 ${await sha256Of(file)}\n`)
  },
}

export default async function inputs(request: InputsRequest, facts: Facts): Promise<void> {
  await commands[request.command]({ ...request, facts })
}

function print(text: string): void {
  process.stdout.write(text)
}

function filesOf({ facts, build }: Asked): LockedFile[] {
  const lock = loadLock()
  if (build === undefined) return lock.files
  return filesFor(lock, purposesOf(planImages(build, facts), facts, parseArch(process.arch)))
}

function sumOf(files: readonly LockedFile[]): string {
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  return `${files.length} files, ${megabytes(bytes)}`
}
