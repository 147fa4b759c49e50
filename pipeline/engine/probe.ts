import { connect, type NetConnectOpts } from 'node:net'

// How long an address on another host may take to accept a connection, in milliseconds.
const patience = 5_000

/** Whether something accepts connections at a socket or port. */
export function answers(address: NetConnectOpts): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(address)
    const end = (answer: boolean) => {
      connection.destroy()
      resolve(answer)
    }
    connection.setTimeout(patience, () => end(false))
    connection.once('error', () => end(false))
    connection.once('connect', () => end(true))
  })
}

/** The address in a runner host such as `tcp://10.0.0.2:1234`; none for schemes that are no plain connection. */
export function addressOf(runnerHost: string): NetConnectOpts | undefined {
  const { protocol, hostname, port, pathname } = new URL(runnerHost)
  if (protocol === 'unix:') return { path: pathname }
  if (protocol === 'tcp:' && port !== '') return { host: hostname, port: Number(port) }
  return undefined
}
