import type { SourceFacts } from '../facts/schema.js'
import { ask } from '../host/http.js'
import type { LockedFile } from './lock.js'

/** Where a file may be, in the order in which it is asked for: a URL, or a way to find one out. */
export type Place = { url: string } | { index: string; find: () => Promise<string> }

/**
 * The places of a locked file: the user's mirror (DEBIAN_MIRROR, PIP_INDEX_URL), then the archive's own servers, then the
 * dated snapshot of the archive, which keeps what an update has replaced.
 */
export function placesOf(
  { archive, path, locked }: LockedFile,
  { places }: Pick<SourceFacts, 'places'>,
  environment: NodeJS.ProcessEnv,
): Place[] {
  const below = (base: string): Place => ({ url: `${base.replace(/\/+$/, '')}/${encode(path)}` })
  const own = places[archive].map((place) => below(place.replace('{locked}', locked)))
  if (archive === 'pypi') {
    const index = environment.PIP_INDEX_URL
    return index ? [indexed(index, path), ...own] : own
  }
  const mirror = environment.DEBIAN_MIRROR?.replace(/\/+$/, '')
  if (!mirror) return own
  // Mirrors have the security archive beside the other, or a copy of ours has both in one.
  const mirrors = archive === 'debian-security' ? [`${mirror}-security`, mirror] : [mirror]
  return [...mirrors.map(below), ...own]
}

/** Names in a pool have characters that mean something else in a URL: libstdc++6, 4%3a14.2.0. */
function encode(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}

/** A wheel as an index of Python packages links to it; each index has files where it likes. https://peps.python.org/pep-0503/ */
function indexed(index: string, path: string): Place {
  const name = path.split('/').at(-1) as string
  const project = (name.split('-')[0] as string).toLowerCase().replaceAll('_', '-')
  const page = `${index.replace(/\/+$/, '')}/${project}/`
  const find = async () => {
    const response = await ask(page)
    if (!response.ok) throw new Error(`${response.status}`)
    const links = [...(await response.text()).matchAll(/href="([^"#]+)/g)].map(([, link]) => link)
    const link = links.find(
      (one) => decodeURIComponent((one as string).split('/').at(-1) as string) === name,
    )
    if (link === undefined) throw new Error(`it has no ${name}`)
    const found = new URL(link.replaceAll('&amp;', '&'), page)
    const { origin, username, password } = new URL(page)
    if (found.origin === origin) Object.assign(found, { username, password })
    return found.href
  }
  return { index: page, find }
}
