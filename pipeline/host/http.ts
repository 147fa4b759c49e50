import { accessSync, constants, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { rootCertificates } from 'node:tls'
import { type Dispatcher, EnvHttpProxyAgent, fetch, type Response } from 'undici'
import { UserError } from '../facts/errors.js'

/** How long a server may say nothing before it counts as stalled, in milliseconds. */
const patience = 20_000

let agent: Dispatcher | undefined

/**
 * Asks a server as the user's environment says: by HTTP_PROXY, HTTPS_PROXY and NO_PROXY, trusting the certificates in SSL_CERT_FILE and
 * NODE_EXTRA_CA_CERTS too, with the user and password of the URL. `wait` is in milliseconds.
 * Throws where nothing answers; an answer of any status is given.
 */
export async function ask(
  address: string,
  { method = 'GET', wait = patience, signal }: AskOptions = {},
): Promise<Response> {
  const url = new URL(address)
  const { username, password } = url
  url.username = url.password = ''
  const headers = username
    ? {
        authorization: `Basic ${btoa(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)}`,
      }
    : {}
  agent ??= new EnvHttpProxyAgent({
    // Proxies refuse tunnels to plain HTTP.
    proxyTunnel: false,
    headersTimeout: wait,
    bodyTimeout: wait,
    ...trust(process.env),
  })
  return fetch(url, { method, headers, dispatcher: agent, ...(signal && { signal }) })
}

export interface AskOptions {
  method?: 'GET' | 'HEAD'
  wait?: number
  signal?: AbortSignal
}

/** The files with certificates that the user trusts beside those that programs bring. Throws a UserError. */
export function certificateFiles(environment: NodeJS.ProcessEnv): string[] {
  const files = ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'].flatMap((name) => {
    const file = environment[name]
    if (!file) return []
    try {
      accessSync(file, constants.R_OK)
      return [resolve(file)]
    } catch (error) {
      throw new UserError(
        `${name} ${file} cannot be read: name a file with certificates, or unset it`,
        { cause: error },
      )
    }
  })
  return [...new Set(files)]
}

/** Node reads only NODE_EXTRA_CA_CERTS, and only as long as it is told of no other certificates. */
function trust(environment: NodeJS.ProcessEnv) {
  const own = certificateFiles(environment).map((file) => readFileSync(file, 'utf8'))
  if (own.length === 0) return {}
  const ca = [...rootCertificates, ...own]
  return { connect: { ca }, requestTls: { ca }, proxyTls: { ca } }
}

/** A text without the users and passwords of URLs in it. */
export function redact(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^/\s@"']+@/gi, '$1')
}

/** Why nothing answered, in a few words. */
export function reasonOf(error: unknown): string {
  const chain: unknown[] = []
  for (let one = error; one instanceof Error; one = one.cause) chain.push(one)
  const timeout = /timeout/i
  if (
    chain.some(
      (one) =>
        timeout.test((one as Error).name) ||
        timeout.test(String((one as NodeJS.ErrnoException).code)),
    )
  ) {
    return 'no answer in time'
  }
  const [last] = chain.reverse() as Error[]
  return redact(
    last?.message.split('\n')[0] || (last as NodeJS.ErrnoException)?.code || String(error),
  )
}
