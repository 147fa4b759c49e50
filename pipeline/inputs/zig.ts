import { BuildError } from '../facts/errors.js'
import type { Arch } from '../facts/platform.js'
import type { SourceFacts } from '../facts/schema.js'
import { ask } from '../host/http.js'
import { buildHosts, type LockedFile, purposes } from './lock.js'

const machines: Partial<Record<Arch, string>> = { amd64: 'x86_64', arm64: 'aarch64' }

/** The wheels of the PyPI package ziglang, one for each architecture that can build. Throws a BuildError. */
export async function zigWheels({
  zig,
  places,
}: Pick<SourceFacts, 'zig' | 'places'>): Promise<
  (Omit<LockedFile, 'for' | 'locked'> & { purpose: string })[]
> {
  const index = process.env.PIP_INDEX_URL || places.pypiIndex
  const page = `${index.replace(/\/+$/, '')}/ziglang/`
  const answer = await ask(page)
  if (!answer.ok)
    throw new BuildError(`the index of Python packages answers ${answer.status} for ziglang`)
  const links = [...(await answer.text()).matchAll(/href="([^"]+)"/g)].map(
    ([, link]) => link as string,
  )
  const wheels: (Omit<LockedFile, 'for' | 'locked'> & { purpose: string })[] = []
  for (const host of buildHosts) {
    const wanted = new RegExp(
      `/ziglang-${zig.version}-py3-none-manylinux[^/]*_${machines[host]}\\.whl#sha256=`,
    )
    const link = links.find((one) => wanted.test(one))
    if (link === undefined)
      throw new BuildError(`the index of Python packages has no ziglang ${zig.version} for ${host}`)
    const url = new URL(link, page)
    const head = await ask(url.href, { method: 'HEAD' })
    wheels.push({
      archive: 'pypi',
      path: decodeURIComponent(url.pathname).replace(/^\/+/, ''),
      size: Number(head.headers.get('content-length')),
      sha256: url.hash.replace('#sha256=', ''),
      package: 'ziglang',
      version: zig.version,
      architecture: host,
      source: `ziglang ${zig.version}`,
      purpose: purposes.zig(host),
    })
  }
  return wheels
}
