import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { answers } from '../../../pipeline/engine/probe.js'
import { until } from '../../../pipeline/smoke/node.js'
import { succeed } from '../command.js'

const module = 'github.com/distribution/distribution/v3/cmd/registry@v3.1.2'

/** The name and the password that a registry with `auth` wants. */
export const user = 'releaser'
export const password = 'secret-of-the-test'
// bcrypt of the password, as htpasswd -B writes it.
const htpasswd = `${user}:$2a$04$GvvfhNyDi8yy/ALpP1QgqOgVmY/B.wA6RgtpAakHJRwEURrwukYn6\n`

/** Compiles the registry of the CNCF project distribution into a folder; gives the program. */
export async function compileRegistry(folder: string): Promise<string> {
  const env = { GOBIN: folder, GOFLAGS: '', CGO_ENABLED: '0', GOTOOLCHAIN: 'auto' }
  await succeed('go', ['install', module], { cwd: '/', env })
  return join(folder, 'registry')
}

export interface RegistryOptions {
  auth?: boolean
  /** Files of a certificate for 127.0.0.1 and of its key. */
  tls?: { certificate: string; key: string }
}

/** A registry on a free port of 127.0.0.1. */
export class Registry {
  private constructor(
    private readonly process: ChildProcess,
    /** HOST:PORT. */
    readonly address: string,
  ) {}

  /** Starts a registry that keeps what it has in a folder. Throws when it does not listen within a minute. */
  static async start(
    program: string,
    folder: string,
    { auth, tls }: RegistryOptions = {},
  ): Promise<Registry> {
    const port = await freePort()
    const address = `127.0.0.1:${port}`
    await writeFile(join(folder, 'htpasswd'), htpasswd)
    const settings = {
      version: 0.1,
      storage: { filesystem: { rootdirectory: folder }, delete: { enabled: true } },
      http: { addr: address, ...(tls && { tls }) },
      ...(auth && { auth: { htpasswd: { realm: 'test', path: join(folder, 'htpasswd') } } }),
    }
    const file = join(folder, 'registry.yaml')
    await writeFile(file, stringify(settings))
    const log = openSync(join(folder, 'registry.log'), 'a')
    const child = spawn(program, ['serve', file], { stdio: ['ignore', log, log] })
    closeSync(log)
    const registry = new Registry(child, address)
    await until('the registry listens', () => answers({ host: '127.0.0.1', port }))
    return registry
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once('close', resolve))
    this.process.kill()
    await ended
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
