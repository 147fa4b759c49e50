import { UserError } from '../facts/errors.js'
import { clientVariable, loopbackAlias, moduleFolder, type Network } from '../graph/network.js'
import { certificateFiles, redact } from '../host/http.js'

// What a user sets on the host to reach module proxies holds in steps too; and proxies, in the spelling of most programs and in curl's.
const goVariables = ['GOPROXY', 'GONOPROXY', 'GOSUMDB', 'GONOSUMDB', 'GOPRIVATE']
const proxyVariables = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY']

/**
 * The way of steps to the network that the user's environment names, and the variables that the client must have in its own environment for
 * it. Throws a UserError.
 */
export function networkOf(environment: NodeJS.ProcessEnv): {
  network: Network
  client: Record<string, string>
} {
  const ports = new Set<number>()
  let modules: string | undefined
  const values = new Map<string, string>()
  for (const name of goVariables) {
    const value = environment[name]
    if (value) values.set(name, value)
  }
  for (const name of proxyVariables) {
    const value = environment[name.toLowerCase()] || environment[name]
    if (value) values.set(name, value)
  }
  for (const name of ['GOPROXY', 'HTTP_PROXY', 'HTTPS_PROXY']) {
    const value = values.get(name)
    if (value === undefined) continue
    // GOPROXY is a list, with commas or bars between.
    const places = value.split(/([,|])/).map((place) => {
      if (place.startsWith('file://')) {
        const folder = decodeURIComponent(new URL(place).pathname)
        if (modules !== undefined && modules !== folder) {
          throw new UserError('GOPROXY names two folders: name one file:// URL at most')
        }
        modules = folder
        return `file://${moduleFolder}`
      }
      if (name === 'GOPROXY') verifyPassword(place)
      const { address, ports: named } = throughTunnel(place)
      for (const port of named) ports.add(port)
      return address
    })
    values.set(name, places.join(''))
  }
  // What is reached by the client is reached by no proxy.
  if (values.has('HTTP_PROXY') || values.has('HTTPS_PROXY')) {
    const list = values.get('NO_PROXY')
    values.set('NO_PROXY', [...(list ? [list] : []), loopbackAlias].join(','))
  }
  return {
    network: {
      variables: [...values.keys()],
      certificates: certificateFiles(environment),
      ports: [...ports].sort((a, b) => a - b),
      ...(modules !== undefined && { modules }),
    },
    client: Object.fromEntries([...values].map(([name, value]) => [clientVariable(name), value])),
  }
}

/** Throws a UserError for a password that the go command would refuse to send, after retries. */
function verifyPassword(place: string): void {
  if (!/^http:\/\/[^/]*@/.test(place)) return
  throw new UserError(
    `GOPROXY ${redact(place)} has a password, and the go command sends none to http:// places: name it by https://, or leave the password out`,
  )
}

/** A URL as steps reach it, and the ports of this machine's loopback that they need for it: what listens there is reached by the client. */
export function throughTunnel(text: string): { address: string; ports: number[] } {
  const unchanged = { address: text, ports: [] }
  // Proxies may be given as HOST:PORT.
  const address = /^[\w.-]+:\d+$/.test(text) ? `http://${text}` : text
  if (!URL.canParse(address)) return unchanged
  const url = new URL(address)
  if (!/^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)) return unchanged
  url.hostname = loopbackAlias
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  return { address: url.href.replace(/\/$/, ''), ports: [port] }
}
