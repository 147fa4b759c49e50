import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a proxy does with a request: passes it on, answers itself, cuts the connection, or reads no more of it. */
export type Verdict = 'pass' | 'cut' | 'stall' | Answer

interface Answer {
  status: number
  headers?: Record<string, string>
  body?: string
}

/** A proxy before a registry that can do harm, and keeps what was asked of it as `PUT /v2/…`. */
export interface RegistryProxy {
  /** HOST:PORT. */
  address: string
  asked: string[]
  /** Decides on each request. */
  judge: (asked: string, request: IncomingMessage) => Verdict
  close(): Promise<void>
}

/** Starts a proxy on a free port of an address of this machine. */
export async function startProxy(registry: string, host = '127.0.0.1'): Promise<RegistryProxy> {
  const proxy: RegistryProxy = { address: '', asked: [], judge: () => 'pass', close }
  const server = createServer((incoming, response) => {
    const asked = `${incoming.method} ${incoming.url}`
    proxy.asked.push(asked)
    const verdict = proxy.judge(asked, incoming)
    if (verdict === 'stall') return incoming.pause()
    // A part of what is sent has come by then.
    if (verdict === 'cut') return incoming.once('data', cut).once('end', cut)
    if (verdict !== 'pass') {
      const { status, headers, body } = verdict
      incoming.resume()
      return response.writeHead(status, headers).end(body)
    }
    const [hostname, port] = registry.split(':')
    const { method, url: path, headers } = incoming
    const outgoing = request({ hostname, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode as number, answer.headers)
      answer.pipe(response)
    })
    outgoing.on('error', cut)
    return incoming.pipe(outgoing)

    function cut() {
      incoming.socket.destroy()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  proxy.address = `${host}:${(server.address() as AddressInfo).port}`
  return proxy

  function close(): Promise<void> {
    return new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  }
}
