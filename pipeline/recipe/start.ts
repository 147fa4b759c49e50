import { type NodeContainer, removeCommands, runScript } from './container.js'
import type { RecipeRequest } from './request.js'
import { mark, type NodeFile } from './shell.js'

/** Starts the kubelet, and starts it again: what it needs of the host is looked at each time. */
export const startFile = '/etc/kubernetes/start-kubelet.sh'

export const kubeletConfigFile = '/var/lib/kubelet/config.yaml'

/** Volumes that the kubelet mounts in its container must be seen by the pods, so its directory is a shared mount. */
export const sharedKubeletDirectory = `mountpoint -q /var/lib/kubelet || mount --bind /var/lib/kubelet /var/lib/kubelet
mount --make-rshared /var/lib/kubelet`

/** Variables of the script that hold flags: kubeadm's before the recipe's own, and the administrator's after all. */
export const flagsBefore = '$KUBELET_KUBEADM_ARGS'
export const flagsAfter = ['$host', '$KUBELET_EXTRA_ARGS']

/** The script that starts the kubelet's container by the client of a runtime; with systemd it ends with the container. */
export function startScriptFile(container: NodeContainer, request: RecipeRequest): NodeFile {
  const { runtime, dockershim } = request
  const client = runtime === 'systemd' ? 'ctr' : runtime
  const life = runtime === 'systemd' ? 'attached' : 'detached'
  const run = runScript({ ...container, life }, client, { exec: runtime === 'systemd' })
  const content = `#!/bin/sh
# Written by a recipe of ${mark}: starts the kubelet in a container, and starts it again.
set -eu

# What the kubelet mounts must be seen by the pods.
${sharedKubeletDirectory}

# Flags of kubeadm, and of whoever looks after this node.
KUBELET_KUBEADM_ARGS=
KUBELET_EXTRA_ARGS=
for file in /var/lib/kubelet/kubeadm-flags.env /etc/default/kubelet; do
  # shellcheck disable=SC1090 # they are of this node
  [ ! -r "$file" ] || . "$file"
done

setting() { sed -n "s/^$1: *//p" ${kubeletConfigFile} 2>/dev/null | tr -d "'\\""; }
host=

# Pods with the node's DNS: the host's own file, also after it was replaced; not a resolver on the node itself, which would be the pod.
# /etc/resolv.conf is what the kubelet has where nobody has chosen one.
resolver=$(setting resolvConf)
if [ "$resolver" = /etc/resolv.conf ] || [ ! -e "$resolver" ]; then
  resolver=/proc/1/root/etc/resolv.conf
  if grep -q '^nameserver 127[.]' /etc/resolv.conf && [ -e /run/systemd/resolve/resolv.conf ]; then
    resolver=/run/systemd/resolve/resolv.conf
  fi
  host="$host --resolv-conf=$resolver"
fi

${dockershim ? dockerDriver : containerdDriver}

${removeCommands(container.name, client).join('\n')}
${run}
`
  return { path: startFile, content, foreign: 'stop' }
}

// Only systemd may make control groups where it runs, and nothing else can by way of it where it does not.
const containerdDriver = `# The driver of control groups: the cluster's, where this host has systemd; containerd's must be the same.
driver=$(setting cgroupDriver)
if [ "$driver" = systemd ] && [ ! -d /run/systemd/system ]; then
  driver=cgroupfs
  host="$host --cgroup-driver=cgroupfs"
fi
systemd=false
[ "$driver" != systemd ] || systemd=true
if grep -qs ${mark} /etc/containerd/config.toml && ! grep -q "SystemdCgroup = $systemd" /etc/containerd/config.toml; then
  sed -i "s/SystemdCgroup = .*/SystemdCgroup = $systemd/" /etc/containerd/config.toml
  systemctl restart containerd
fi`

const dockerDriver = `# The driver of control groups is Docker's.
host="$host --cgroup-driver=$(docker info --format '{{.CgroupDriver}}')"`

/** The unit that keeps the kubelet running. It does not end with containerd, and waits for it where it starts late. */
export function unitFile(): string {
  return `# Written by a recipe of ${mark}.
[Unit]
Description=kubelet in a container
After=containerd.service network-online.target
Wants=containerd.service network-online.target

[Service]
ExecStart=/bin/sh ${startFile}
KillMode=mixed
Restart=always
RestartSec=5

[Install]
WantedBy=multi-user.target
`
}

/** The unit that shares the kubelet's directory before an engine starts its container again, as Docker does after the machine was. */
export function directoryUnit(): string {
  return `# Written by a recipe of ${mark}.
[Unit]
Description=shared directory of the kubelet
Before=containerd.service docker.service
RequiresMountsFor=/var/lib/kubelet

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c '${sharedKubeletDirectory.replace('\n', '; ')}'

[Install]
WantedBy=multi-user.target
`
}

/** Of a container that ctr has started nobody else looks after the log. */
export const logrotate = `# Written by a recipe of ${mark}.
/var/log/kubelet.log {
    size 10M
    rotate 3
    copytruncate
    compress
    missingok
}
`
