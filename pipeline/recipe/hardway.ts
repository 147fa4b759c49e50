import { stringify } from 'yaml'
import { quote } from './shell.js'
import type { Step } from './steps.js'

/** Where the certificates of a node are that was made without kubeadm. */
export const pki = '/etc/kubernetes/pki'

/**
 * Shell functions for a directory with keys and certificates. What is there is never truncated: everything is written beside its place and
 * renamed. openssl is heard only where it fails.
 *
 * `certificate NAME SUBJECT EXTENSIONS` makes NAME.key, where there is none, and NAME.crt by the CA. Without the CA's key it leaves a
 * request, and takes the certificate that somebody else has made of it.
 */
export const certificateFunctions = `quietly() { "$@" 2>openssl.log || { cat openssl.log >&2; return 1; }; }
certificate() {
  [ -s "$1.key" ] || { quietly openssl genrsa -out "$1.key.new" 2048; mv "$1.key.new" "$1.key"; }
  quietly openssl req -new -key "$1.key" -subj "$2" -out "$1.csr"
  printf '%b\\n' "$3" >"$1.ext"
  if [ -s ca.key ]; then
    quietly openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -extfile "$1.ext" -out "$1.crt.new"
    mv "$1.crt.new" "$1.crt"
  elif ! [ -s "$1.crt" ] || [ "$(openssl x509 -noout -pubkey -in "$1.crt")" != "$(openssl pkey -pubout -in "$1.key")" ]; then
    requests="$requests $1"
    return
  else
    quietly openssl verify -CAfile ca.crt "$1.crt" >/dev/null
  fi
  rm "$1.csr" "$1.ext"
}`

/**
 * Certificates by which the node and the API server know each other, in the directory `folder`.
 * https://kubernetes.io/docs/setup/best-practices/certificates/ and …/reference/access-authn-authz/node/ say what is in them.
 */
export function certificatesStep(folder: string): Step {
  return {
    id: 'certificates',
    title:
      "Certificates: the cluster's own CA if there is none yet, and the node's as client and as server",
    // The kubelet calls itself by the name of the machine in small letters.
    script: `mkdir -p ${quote(folder)}
(
set -eu
umask 077
cd ${quote(folder)}
requests=
${certificateFunctions}
node=$(uname -n | tr A-Z a-z)
address=$(ip -o route get 192.0.2.1 | sed -n 's/.* src \\([^ ]*\\).*/\\1/p')
[ -n "$address" ] || { echo "this node has no default route, which tells its address: add one, and run this step again" >&2; exit 1; }
if ! [ -s ca.crt ]; then
  [ ! -e ca.key ] || { echo "${folder}/ca.key is there without ca.crt: bring that too" >&2; exit 1; }
  quietly openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=kubernetes -keyout ca.key.new -out ca.crt.new
  mv ca.key.new ca.key
  mv ca.crt.new ca.crt
fi
certificate kubelet-client "/O=system:nodes/CN=system:node:$node" extendedKeyUsage=clientAuth
certificate kubelet "/O=system:nodes/CN=system:node:$node" "extendedKeyUsage=serverAuth\\nsubjectAltName=DNS:$node,IP:$address"
rm -f openssl.log
chmod 644 ./*.crt
for name in $requests; do
  echo "${folder}/$name.csr waits to be signed, because the key of the CA is not here. Where it is:" >&2
  echo "  openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -extfile $name.ext -out $name.crt" >&2
done
[ -z "$requests" ] || { echo "bring the .crt files to ${folder}, and run this step again" >&2; exit 1; }
)`,
  }
}

/** How the kubelet reaches the API server, and as whom. */
export function kubeconfigStep(server: string): Step {
  const config = kubeconfig(server, 'kubelet-client')
  return {
    id: 'kubeconfig',
    title: 'The kubelet as a user of the API server',
    files: [{ path: '/etc/kubernetes/kubelet.conf', content: config }],
  }
}

/** A kubeconfig for the certificate `name` in `pki`. */
export function kubeconfig(server: string, name: string): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'kubernetes',
        cluster: { server: `https://${server}`, 'certificate-authority': `${pki}/ca.crt` },
      },
    ],
    users: [
      {
        name,
        user: { 'client-certificate': `${pki}/${name}.crt`, 'client-key': `${pki}/${name}.key` },
      },
    ],
    contexts: [{ name: 'default', context: { cluster: 'kubernetes', user: name } }],
    'current-context': 'default',
  })
}

/** Fields of KubeletConfiguration: whom the kubelet believes, and what it shows. */
export const hardwayConfig = {
  authentication: {
    anonymous: { enabled: false },
    x509: { clientCAFile: `${pki}/ca.crt` },
    webhook: { enabled: true },
  },
  authorization: { mode: 'Webhook' },
  tlsCertFile: `${pki}/kubelet.crt`,
  tlsPrivateKeyFile: `${pki}/kubelet.key`,
}
