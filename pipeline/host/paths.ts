import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/** The one directory with everything that outlives a command: inputs, engine, its state, builder root, logs. */
export const cacheDirectory = join(cacheHome(process.env), 'kubelet-images')

/** Full logs of engine and builds. */
export const logDirectory = join(cacheDirectory, 'logs')

/** Where a user's caches go. An empty or relative path counts as none. https://specifications.freedesktop.org/basedir-spec/ */
export function cacheHome({ XDG_CACHE_HOME: path = '' }: NodeJS.ProcessEnv): string {
  return isAbsolute(path) ? path : join(homedir(), '.cache')
}
