import { stringify } from 'yaml'
import { fileScript, type Step } from './steps.js'

/** Where the certificates of a node are that was made without kubeadm. */
export const pki = '/etc/kubernetes/pki'

/**
 * A key and a certificate by the CA in `pki`, as shell: `name`.key and `name`.crt there. `subject` and `extensions` are
 * those of openssl, and may name the shell's variables.
 */
export function certificateScript(name: string, subject: string, extensions: string): string {
  return `openssl req -newkey rsa:2048 -nodes -subj "${subject}" -keyout ${name}.key -out ${name}.csr 2>/dev/null
printf '%b' "${extensions}" | openssl x509 -req -in ${name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial \\
  -days 365 -extfile /dev/stdin -out ${name}.crt 2>/dev/null
rm ${name}.csr`
}

/**
 * Certificates by which the node and the API server know each other.
 * https://kubernetes.io/docs/setup/best-practices/certificates/ and …/reference/access-authn-authz/node/ say what is in them.
 */
export const certificatesStep: Step = {
  title:
    "Certificates: the cluster's own CA if it is not there yet, and the node's as client and as server",
  script: `mkdir -p ${pki}
(cd ${pki}
[ -s ca.crt ] || openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=kubernetes -keyout ca.key -out ca.crt 2>/dev/null
node=$(hostname)
address=$(ip -o route get 192.0.2.1 | sed 's/.* src \\([^ ]*\\).*/\\1/')
${certificateScript('kubelet-client', '/O=system:nodes/CN=system:node:$node', 'extendedKeyUsage=clientAuth')}
${certificateScript('kubelet', '/O=system:nodes/CN=system:node:$node', 'extendedKeyUsage=serverAuth\\nsubjectAltName=DNS:$node,IP:$address')}
chmod 600 ./*.key)`,
}

/** How the kubelet reaches the API server, and as whom. */
export function kubeconfigStep(server: string): Step {
  const config = kubeconfig(server, 'kubelet-client')
  return {
    title: 'The kubelet as a user of the API server',
    script: fileScript('/etc/kubernetes/kubelet.conf', config),
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
