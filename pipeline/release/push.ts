import { BuildError, UserError } from '../facts/errors.js'
import { buildGoTool } from '../host/go-tool.js'
import { run } from '../host/process.js'
import { temporaryDirectory } from '../host/temporary.js'

/** What the environment says of credentials. */
export type Credentials = Record<string, string>

const names = ['REGISTRY_USERNAME', 'REGISTRY_PASSWORD'] as const

/** Takes credentials out of an environment, so that nothing else which is started has them. Throws a UserError. */
export function takeCredentials(env: NodeJS.ProcessEnv): Credentials {
  const given = names.filter((name) => env[name])
  if (given.length === 1) {
    throw new UserError(`${given[0]} is set alone: set ${names.join(' and ')}, or neither`)
  }
  const credentials = Object.fromEntries(given.map((name) => [name, env[name] as string]))
  for (const name of names) delete env[name]
  return credentials
}

/** A tag after it was moved. */
export interface MovedTag {
  tag: string
  /** Digest that it named before, unless it is new. */
  before?: string
}

/** Talks to a registry by tools/push. */
export class Pusher {
  private constructor(
    private readonly program: string,
    private readonly flags: readonly string[],
    private readonly credentials: Credentials,
  ) {}

  /** Compiles the program, to be run with these flags. Throws a BuildError. */
  static async compile(flags: readonly string[], credentials: Credentials): Promise<Pusher> {
    const program = await buildGoTool('push', temporaryFolder())
    return new Pusher(program, flags, credentials)
  }

  /** Pushes what is missing of the image with this digest in an OCI layout. Throws a BuildError. */
  async pushImage(repository: string, digest: string, layout: string): Promise<void> {
    await this.run('image', `${repository}@${digest}`, layout)
  }

  /** Moves tags, written as REPOSITORY:TAG@DIGEST: all of them, or none and a BuildError. */
  async moveTags(targets: readonly string[]): Promise<MovedTag[]> {
    return JSON.parse(await this.run('tags', ...targets)) as MovedTag[]
  }

  private async run(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await run(this.program, [...this.flags, ...args], {
      env: this.credentials,
    })
    if (status !== 0) throw new BuildError(`push: ${stderr.trimEnd()}`)
    return stdout
  }
}

let folder: string | undefined

/** The temporary directory of this process. */
export function temporaryFolder(): string {
  folder ??= temporaryDirectory('release')
  return folder
}
