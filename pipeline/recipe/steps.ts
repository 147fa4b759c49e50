import { stringify } from 'yaml'
import type { Mount, NodeContainer, Runtime } from './container.js'
import type { ImageSource, RecipeRequest } from './request.js'
import { fileScript, mark, type NodeFile, quote } from './shell.js'

/** Something to do on a node, as root: paste-ready. */
export interface Step {
  id: string
  title: string
  /** Files that it writes, before its commands. */
  files?: readonly NodeFile[]
  /** POSIX shell, which may be run again; words of the request in it are quoted. */
  script?: string
  /** The step only starts this service of the host again. */
  service?: 'containerd' | 'docker'
}

/** A step as POSIX shell. */
export function stepScript({ files = [], script }: Step): string {
  return [...files.map(fileScript), ...(script === undefined ? [] : [script])].join('\n')
}

/** An image, out of an archive of this project or from a registry, to where the runtime finds it. */
export function imageStep({ ref, archive }: ImageSource, runtime: Runtime): Step {
  const id = 'image'
  if (runtime === 'docker') {
    return archive === undefined
      ? { id, title: 'The image', script: `docker pull ${quote(ref)}` }
      : {
          id,
          title:
            'The image, built with --compression gzip and one --arch, which every Docker reads',
          script: `docker load --input ${quote(archive)}`,
        }
  }
  const ctr = 'ctr --namespace k8s.io images'
  const fetch =
    archive === undefined ? `${ctr} pull ${quote(ref)}` : `${ctr} import ${quote(archive)}`
  // The kubelet knows of no container that uses it, and would remove it from a full disk; containerd 1.7 and later tell it.
  const pin = `${ctr} label ${quote(ref)} io.cri-containerd.pinned=pinned`
  return { id, title: 'The image', script: `${fetch}\n${pin}` }
}

/** https://kubernetes.io/docs/setup/production-environment/container-runtimes/ */
export const kernelStep: Step = {
  id: 'kernel',
  title: 'Kernel: overlay, bridged traffic through iptables, forwarding; now and after a restart',
  files: [
    {
      path: '/etc/modules-load.d/kubernetes.conf',
      content: `# Written by a recipe of ${mark}.\noverlay\nbr_netfilter`,
      foreign: 'keep',
    },
    {
      path: '/etc/sysctl.d/90-kubernetes.conf',
      content: `# Written by a recipe of ${mark}.
net.bridge.bridge-nf-call-iptables = 1
net.bridge.bridge-nf-call-ip6tables = 1
net.ipv4.ip_forward = 1`,
      foreign: 'keep',
    },
  ],
  script: `grep -qw overlay /proc/filesystems || modprobe overlay
[ -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || modprobe br_netfilter
sysctl -q -p /etc/sysctl.d/90-kubernetes.conf`,
}

export const containerdConfig = '/etc/containerd/config.toml'

/** containerd 2 reads this version of its configuration too. */
export function containerdSteps(pauseImage: string): Step[] {
  const content = `# Written by a recipe of ${mark}.
version = 2

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
      id: 'containerd',
      title:
        'containerd: the image of pod sandboxes, and where CNI is; a configuration of others is kept beside it',
      files: [{ path: containerdConfig, content, foreign: 'keep' }],
    },
    {
      id: 'restart-containerd',
      title: 'Restart containerd',
      script: 'systemctl restart containerd',
      service: 'containerd',
    },
  ]
}

/** The kubelet and Docker must use the same driver of control groups; pods outlive a restart of Docker. */
export const dockerSteps: Step[] = [
  {
    id: 'docker',
    title: 'Docker: the driver of control groups that the kubelet has',
    files: [
      {
        path: '/etc/docker/daemon.json',
        content: JSON.stringify(
          { 'exec-opts': ['native.cgroupdriver=cgroupfs'], 'live-restore': true },
          null,
          2,
        ),
        foreign: 'stop',
      },
    ],
  },
  {
    id: 'restart-docker',
    title: 'Restart Docker',
    script: 'systemctl restart docker',
    service: 'docker',
  },
]

/**
 * containerd runs CNI plugins on the host, not in the container of the kubelet. They are one program with many names;
 * the DaemonSet of flannel replaces the plugin flannel by writing through that name, which is a program of its own then.
 */
export function pluginsStep({ image, network, runtime }: RecipeRequest): Step {
  const copy =
    runtime === 'docker'
      ? `id=$(docker create ${quote(image.ref)})
docker cp "$id":/opt/cni/bin/. /opt/cni/bin/
docker rm "$id"`
      : `root=$(mktemp -d)
ctr --namespace k8s.io images mount ${quote(image.ref)} "$root"
cp -a "$root"/opt/cni/bin/. /opt/cni/bin/
ctr --namespace k8s.io images unmount "$root"
rmdir "$root"`
  const own =
    network === 'flannel' ? ['cp --remove-destination /opt/cni/bin/cni /opt/cni/bin/flannel'] : []
  return {
    id: 'plugins',
    title: 'CNI plugins, out of the image',
    script: ['mkdir -p /opt/cni/bin', copy, ...own].join('\n'),
  }
}

/** A bridge for the pods of this node, out of `podCidr`, with host ports. */
export function networkStep(podCidr: string): Step {
  const network = {
    cniVersion: '0.4.0',
    name: `${mark}-pods`,
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
    id: 'network',
    title: 'CNI: a bridge for the pods of this node',
    files: [
      {
        path: '/etc/cni/net.d/10-bridge.conflist',
        content: JSON.stringify(network, null, 2),
        foreign: 'stop',
      },
    ],
  }
}

/** Volumes that the kubelet mounts in its container must be seen by the pods, so its directory is a shared mount. */
export const sharedKubeletDirectory = [
  'mountpoint -q /var/lib/kubelet || mount --bind /var/lib/kubelet /var/lib/kubelet',
  'mount --make-rshared /var/lib/kubelet',
]

const directories = ['/etc/kubernetes/manifests', '/var/log/containers', '/var/log/pods']

/** What the kubelet's container mounts must be there: Docker creates no missing source of a mount. */
export function directoriesStep({ dockershim, hostPaths }: RecipeRequest): Step {
  const mounts = dockershim ? dockershimMounts.map(({ path }) => path) : []
  return {
    id: 'directories',
    title: 'Directories of the kubelet, its own as a shared mount, and an id of the machine',
    script: [
      `mkdir -p ${['/var/lib/kubelet', ...directories, ...mounts, ...hostPaths].map(quote).join(' ')}`,
      ...sharedKubeletDirectory,
      '[ -s /etc/machine-id ] || tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id',
    ].join('\n'),
  }
}

export function kubeletConfigStep(config: object): Step {
  return {
    id: 'kubelet-config',
    title: 'Configuration of the kubelet',
    files: [{ path: '/var/lib/kubelet/config.yaml', content: stringify(config) }],
  }
}

const resolver: Mount[] = [
  { path: '/etc/resolv.conf', readOnly: true },
  { path: '/etc/hosts', readOnly: true },
]

/** The kubelet as a container: what it and the container runtime must see alike has the same path on both sides. */
export function kubeletContainer(
  { image, dockershim, hostPaths }: RecipeRequest,
  command: readonly string[],
): NodeContainer {
  const mounts: Mount[] = [
    ...resolver,
    { path: '/etc/machine-id', readOnly: true },
    { path: '/etc/kubernetes' },
    { path: '/run', propagation: 'rslave' },
    { path: '/sys/fs/cgroup' },
    ...(dockershim ? dockershimMounts : containerdMounts),
    { path: '/var/lib/kubelet', propagation: 'rshared' },
    { path: '/var/log/containers' },
    { path: '/var/log/pods' },
    ...hostPaths.map((path): Mount => ({ path, propagation: 'rshared' })),
  ]
  return { name: 'kubelet', image: image.ref, command, mounts, detached: true }
}

const containerdMounts: Mount[] = [{ path: '/var/lib/containerd', propagation: 'rshared' }]

/** Docker's files, and what CNI plugins and the kubelet itself note of pods that outlive its container. */
const dockershimMounts: Mount[] = [
  { path: '/etc/cni/net.d' },
  { path: '/var/lib/cni' },
  { path: '/var/lib/docker', propagation: 'rshared' },
  { path: '/var/lib/dockershim' },
]

/** kubeadm as a container, for what it does before the kubelet runs and beside it. */
export function kubeadmContainer(image: string, command: readonly string[]): NodeContainer {
  const paths = ['/etc/kubernetes', '/run', '/var/lib/etcd', '/var/lib/kubelet']
  const mounts = [...resolver, ...paths.map((path) => ({ path }))]
  return { name: 'kubeadm', image, command, mounts, detached: false }
}
