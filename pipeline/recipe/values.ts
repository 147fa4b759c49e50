import { isIPv4, isIPv6 } from 'node:net'
import { UserError } from '../facts/errors.js'

// Values of a recipe end up in a shell of root and in files of the node: each has a shape.

/** A reference to an image as registries have it, with a tag, a digest, both or neither. Throws a UserError. */
export function imageReference(flag: string, text: string): string {
  const part = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*'
  const host = '(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\\[[0-9a-fA-F:]+\\])(?::\\d{1,5})?'
  const pattern = `^(?:${host}/)?${part}(?:/${part})*(?::[\\w][\\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`
  return matching(flag, text, new RegExp(pattern), 'registry.example.org/kubelet:v1.24.0')
}

/** A registry, or a place in one, where images are: a reference without tag and digest. Throws a UserError. */
export function imageRepository(flag: string, text: string): string {
  const pattern = /^[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?(?::\d{1,5})?(?:\/[a-z0-9][a-z0-9._-]*)*$/
  return matching(flag, text, pattern, 'registry.example.org/kubernetes')
}

/** HOST:PORT of a name, an IPv4 address or an IPv6 address in brackets. Throws a UserError. */
export function hostAndPort(flag: string, text: string): string {
  const [, host = '', port = ''] = /^(.*):(\d{1,5})$/.exec(text) ?? []
  const address = /^\[(.*)\]$/.exec(host)?.[1]
  const isName = /^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(host)
  const isHost = address === undefined ? isName : isIPv6(address)
  if (isHost && Number(port) >= 1 && Number(port) <= 65_535) return text
  throw malformed(flag, text, '192.0.2.1:6443')
}

/** A bootstrap token. Throws a UserError. https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/ */
export function bootstrapToken(flag: string, text: string): string {
  return matching(flag, text, /^[a-z0-9]{6}\.[a-z0-9]{16}$/, 'abcdef.0123456789abcdef')
}

/** The hash of a CA's public key, as kubeadm prints it. Throws a UserError. */
export function caHash(flag: string, text: string): string {
  return matching(flag, text, /^sha256:[0-9a-f]{64}$/, 'sha256: and 64 hexadecimal digits')
}

/** An absolute path of a directory. Commas and quotes would end it in a flag of a container runtime. Throws a UserError. */
export function absolutePath(flag: string, text: string): string {
  const isPath = /^\/[^\p{Cc},"\\]+$/u.test(text) && !/\/(\.{1,2})?(\/|$)/.test(text)
  if (isPath) return text
  throw malformed(flag, text, '/srv/data')
}

/** A path that is only ever a word of a command. Throws a UserError. */
export function path(flag: string, text: string): string {
  return matching(flag, text, /^[^\p{Cc}-][^\p{Cc}]*$/u, 'dist')
}

/** Phases of kubeadm: addon/coredns. Throws a UserError. */
export function phases(flag: string, text: string): string[] {
  return text
    .split(',')
    .map((phase) =>
      matching(flag, phase.trim(), /^[a-z][a-z-]*(?:\/[a-z][a-z-]*)*$/, 'addon/coredns'),
    )
}

/** IPv4 addresses as CNI's host-local wants them. Throws a UserError. */
export function cidr(flag: string, text: string): string {
  const [address = '', length = '', ...rest] = text.split('/')
  const valid =
    isIPv4(address) &&
    /^\d{1,2}$/.test(length) &&
    Number(length) >= 8 &&
    Number(length) <= 30 &&
    rest.length === 0
  if (!valid) throw malformed(flag, text, '10.244.0.0/24')
  return text
}

/** The first 256 addresses of a range, or all of a smaller one: what one node of a cluster takes. */
export function firstNodeRange(range: string): string {
  const [address = '', length = ''] = range.split('/')
  return Number(length) >= 24 ? range : `${address.split('.').slice(0, 3).join('.')}.0/24`
}

function matching(flag: string, text: string, shape: RegExp, example: string): string {
  if (shape.test(text)) return text
  throw malformed(flag, text, example)
}

function malformed(flag: string, text: string, example: string): UserError {
  // Whatever was given, the message is one line.
  return new UserError(`malformed ${flag} ${JSON.stringify(text)}: write it like ${example}`)
}
