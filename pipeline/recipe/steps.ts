import { stringify } from 'yaml'
import type { Mount, NodeContainer, Runtime } from './container.js'

/** Something to do on a node, as root: paste-ready. */
export interface Step {
  title: string
  /** A POSIX shell script, which may be run again. */
  script: string
  /** The step only starts this service of the host again. */
  service?: 'containerd'
}

/** Where containerd serves the CRI. */
export const criSocket = 'unix:///run/containerd/containerd.sock'

/** A file with exactly this content, its directory made where it is missing. */
export function fileScript(path: string, content: string): string {
  const folder = path.slice(0, path.lastIndexOf('/'))
  return `mkdir -p ${folder}\ncat >${path} <<'EOF'\n${content.trimEnd()}\nEOF`
}

/** The image, out of an archive of this project or from a registry, to where the runtime finds it. */
export function imageStep(image: string, archive: string | undefined, runtime: Runtime): Step {
  const title = 'The image'
  if (runtime === 'docker') {
    // Docker below 25 reads no OCI archive.
    const script =
      archive === undefined
        ? `docker pull ${image}`
        : `docker load --input ${archive} || skopeo copy oci-archive:${archive} docker-daemon:${image}`
    return { title, script }
  }
  const ctr = 'ctr --namespace k8s.io images'
  const fetch = archive === undefined ? `${ctr} pull ${image}` : `${ctr} import ${archive}`
  // The kubelet knows of no container that uses it, and would remove it from a full disk; containerd 1.7 and later tell it.
  const pin = `${ctr} label ${image} io.cri-containerd.pinned=pinned`
  return { title, script: `${fetch}\n${pin}` }
}

/** https://kubernetes.io/docs/setup/production-environment/container-runtimes/ */
export const kernelStep: Step = {
  title: 'Kernel: overlay, bridged traffic through iptables, forwarding; now and after a restart',
  script: `${fileScript('/etc/modules-load.d/kubernetes.conf', 'overlay\nbr_netfilter')}
grep -qw overlay /proc/filesystems || modprobe overlay
[ -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || modprobe br_netfilter
${fileScript(
  '/etc/sysctl.d/90-kubernetes.conf',
  `net.bridge.bridge-nf-call-iptables = 1
net.bridge.bridge-nf-call-ip6tables = 1
net.ipv4.ip_forward = 1`,
)}
sysctl -q -p /etc/sysctl.d/90-kubernetes.conf`,
}

/** containerd 2 reads this version of its configuration too. */
export function containerdSteps(pauseImage: string): Step[] {
  const content = `version = 2

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/opt/cni/bin"
    conf_dir = "/etc/cni/net.d"

  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
`
  return [
    {
      title: 'containerd: the image of pod sandboxes, and where CNI is',
      script: fileScript('/etc/containerd/config.toml', content),
    },
    { title: 'Restart containerd', script: 'systemctl restart containerd', service: 'containerd' },
  ]
}

/** containerd runs CNI plugins on the host, not in the container of the kubelet. */
export function pluginsStep(image: string, runtime: Runtime): Step {
  const copy =
    runtime === 'docker'
      ? `id=$(docker create ${image})
docker cp "$id":/opt/cni/bin/. /opt/cni/bin/
docker rm "$id"`
      : `root=$(mktemp -d)
ctr --namespace k8s.io images mount ${image} "$root"
cp -a "$root"/opt/cni/bin/. /opt/cni/bin/
ctr --namespace k8s.io images unmount "$root"
rmdir "$root"`
  return { title: 'CNI plugins, out of the image', script: `mkdir -p /opt/cni/bin\n${copy}` }
}

/** A bridge for the pods of this node, out of `podCidr`, with host ports. */
export function networkStep(podCidr: string): Step {
  const network = {
    cniVersion: '0.4.0',
    name: 'pods',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        ipMasq: true,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: podCidr }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  }
  return {
    title: 'CNI: a bridge for the pods of this node',
    script: fileScript('/etc/cni/net.d/10-bridge.conflist', JSON.stringify(network, null, 2)),
  }
}

/** Volumes that the kubelet mounts in its container must be seen by the pods, so its directory is a shared mount. */
export const sharedKubeletDirectory = [
  'mountpoint -q /var/lib/kubelet || mount --bind /var/lib/kubelet /var/lib/kubelet',
  'mount --make-rshared /var/lib/kubelet',
]

export const directoriesStep: Step = {
  title: 'Directories of the kubelet, its own as a shared mount',
  script: [
    'mkdir -p /var/lib/kubelet /var/log/pods /var/log/containers /etc/kubernetes/manifests',
    ...sharedKubeletDirectory,
  ].join('\n'),
}

export function kubeletConfigStep(config: object): Step {
  return {
    title: 'Configuration of the kubelet',
    script: fileScript('/var/lib/kubelet/config.yaml', stringify(config)),
  }
}

const resolver: Mount[] = [
  { path: '/etc/resolv.conf', readOnly: true },
  { path: '/etc/hosts', readOnly: true },
]

/** The kubelet as a container: what it and the container runtime must see alike has the same path on both sides. */
export function kubeletContainer(image: string, command: readonly string[]): NodeContainer {
  const mounts: Mount[] = [
    ...resolver,
    { path: '/etc/kubernetes' },
    { path: '/run', propagation: 'rslave' },
    { path: '/sys/fs/cgroup' },
    { path: '/var/lib/containerd', propagation: 'rshared' },
    { path: '/var/lib/kubelet', propagation: 'rshared' },
    { path: '/var/log/containers' },
    { path: '/var/log/pods' },
  ]
  return { name: 'kubelet', image, command, mounts, detached: true }
}

/** kubeadm as a container, for what it does before the kubelet runs and beside it. */
export function kubeadmContainer(image: string, command: readonly string[]): NodeContainer {
  const paths = ['/etc/kubernetes', '/run', '/var/lib/etcd', '/var/lib/kubelet']
  const mounts = [...resolver, ...paths.map((path) => ({ path }))]
  return { name: 'kubeadm', image, command, mounts, detached: false }
}
