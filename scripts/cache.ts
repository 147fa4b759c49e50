import { homedir } from 'node:os'
import { join } from 'node:path'

/** The one directory with everything that outlives a command: engine, its state, builder root, logs. */
export const cacheDirectory = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
  'kubelet-images',
)

/** Full logs of engine and builds. */
export const logDirectory = join(cacheDirectory, 'logs')
