import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@dagger.io/dagger'
import { $ } from 'zx'
import { BuildError } from '../pipeline/errors.js'
import { type Builder, debianRoot } from '../pipeline/graph/debian.js'
import { writeTarImage } from '../pipeline/oci/archive.js'
import { parseArch } from '../pipeline/platform.js'
import type { SourceFacts } from '../pipeline/variants.js'
import { cacheDirectory } from './cache.js'
import { requirePrograms } from './host.js'
import { withLock } from './lock.js'

// How long a registry may take to tell of the builder image before it counts as out of reach.
const patience = 20_000

// What a user sets on the host to reach module proxies and package indexes holds in the builder too.
const mirrorVariables = [
  'GOPROXY',
  'GONOPROXY',
  'GOSUMDB',
  'GONOSUMDB',
  'GOPRIVATE',
  'PIP_INDEX_URL',
]

/**
 * The builder's Debian root: from a registry where one answers, else made here by mmdebstrap and kept in the
 * cache directory. Only its origin differs.
 */
export async function prepareBuilder(client: Client, { debian }: SourceFacts): Promise<Builder> {
  const environment = userEnvironment()
  const archive = join(cacheDirectory, 'builder', `debian-${debian.suite}.oci.tar`)
  if (!existsSync(archive) && (await registryAnswers(client, debian.image))) {
    return { client, root: debianRoot(client, { image: debian.image }), environment }
  }
  await withLock(join(cacheDirectory, 'builder', 'lock'), async () => {
    if (!existsSync(archive)) await bootstrap(debian.suite, archive)
  })
  return { client, root: debianRoot(client, { archive }), environment }
}

function userEnvironment(): Record<string, string> {
  const given = mirrorVariables.map((name) => [name, process.env[name]] as const)
  return Object.fromEntries(given.filter((pair): pair is [string, string] => pair[1] !== undefined))
}

async function registryAnswers(client: Client, image: string): Promise<boolean> {
  const asked = client.container().from(image).sync()
  return Promise.race([
    asked.then(
      () => true,
      () => false,
    ),
    sleep(patience, false, { ref: false }),
  ])
}

/** Makes a minimal Debian with mmdebstrap and wraps it as an OCI archive, which the engine imports. */
async function bootstrap(suite: string, archive: string): Promise<void> {
  process.stderr.write(
    `making the builder's Debian ${suite} root with mmdebstrap (once, about half a minute)\n`,
  )
  await requirePrograms({ mmdebstrap: 'mmdebstrap' })
  const layer = `${archive}.layer`
  const apt = ['Acquire::http::Timeout "20"', 'Acquire::Retries "5"'].map((o) => `--aptopt=${o}`)
  const run = $({ quiet: true, nothrow: true })
  const made =
    await run`mmdebstrap --variant=apt --include=ca-certificates ${apt} --format=tar ${suite} ${layer}`
  if (made.exitCode !== 0) {
    throw new BuildError(
      `mmdebstrap failed:\n${made.stderr.trimEnd().split('\n').slice(-15).join('\n')}`,
    )
  }
  const image = { ref: `localhost/builder:${suite}`, entrypoint: [] }
  await writeTarImage(archive, image, parseArch(process.arch), layer)
  await rm(layer)
}
