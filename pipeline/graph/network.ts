import type { Client, Container } from '@dagger.io/dagger'

/** How steps reach what the user's environment names: proxies, mirrors of modules, own certificates. */
export interface Network {
  /** Names of variables for the steps. The client has each in its own environment, as `clientVariable` names it. */
  variables: readonly string[]
  /** Files of the client with certificates that steps are to trust too. */
  certificates: readonly string[]
  /** Ports on the client's loopback that variables name, where steps find them at `loopbackAlias`. */
  ports: readonly number[]
  /** Folder of the client that GOPROXY names, which steps find at `moduleFolder`. */
  modules?: string
}

/** Where Debian's package ca-certificates has its files. */
export const debianCertificates = '/usr/share/ca-certificates/mozilla'

/** Steps run in networks of their own, in which this name is the loopback of the machine that the client runs on. */
export const loopbackAlias = 'client-loopback'

/** Where steps find a folder with Go modules. */
export const moduleFolder = '/go/proxy'

const certificateFolder = '/etc/ssl/client'

/** The variable of the client's environment with the value of a variable of steps. */
export function clientVariable(name: string): string {
  return `KUBELET_IMAGES_${name}`
}

/**
 * The container with the user's way to the network. Values are secrets, because they may have passwords in them: they are in no log, no
 * layer and no cache key, so that a step which was done need not be done again where only a password has changed.
 */
export function withNetwork(container: Container, client: Client, network: Network): Container {
  const { variables, certificates, ports, modules } = network
  let result = variables.reduce((step, name) => {
    const secret = client.secret(`env://${clientVariable(name)}`, { cacheKey: name })
    return step.withSecretVariable(name, secret)
  }, container)
  for (const [i, file] of certificates.entries()) {
    const name = `${i}.pem`
    const secret = client.secret(`file://${file}`, { cacheKey: `certificates ${name}` })
    result = result
      .withMountedSecret(`${certificateFolder}/${name}`, secret)
      .withEnvVariable('SSL_CERT_DIR', `${debianCertificates}:${certificateFolder}`)
  }
  if (ports.length > 0) {
    const service = client.host().service(ports.map((port) => ({ backend: port, frontend: port })))
    result = result.withServiceBinding(loopbackAlias, service)
  }
  return modules === undefined
    ? result
    : result.withMountedDirectory(moduleFolder, client.host().directory(modules))
}
