import { stringify } from 'yaml'
import { type Mount, type NodeContainer, nodeNamespace, type Runtime } from './container.js'
import { hostPaths } from './host-contract.js'
import type { ImageSource, RecipeRequest } from './request.js'
import { fileScript, mark, type NodeFile, quote } from './shell.js'
import { directoryUnit, kubeletConfigFile, logrotate, sharedKubeletDirectory } from './start.js'

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
  const ctr = `ctr --namespace ${nodeNamespace} images`
  const script =
    archive === undefined ? `${ctr} pull ${quote(ref)}` : `${ctr} import ${quote(archive)}`
  return { id, title: 'The image, in a namespace that the kubelet does not clean up', script }
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

/** Shell that puts what holds without systemd into a file, on a host that has none. */
export function onlyWithSystemd(systemd: string, other: string, file: string): string {
  return `[ -d /run/systemd/system ] || sed -i 's/${systemd}/${other}/' ${file}`
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

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = true
`
  return [
    {
      id: 'containerd',
      title:
        'containerd: the image of pod sandboxes, where CNI is, and control groups by systemd, where it runs; a configuration of others is kept beside it',
      files: [{ path: containerdConfig, content, foreign: 'keep' }],
      script: onlyWithSystemd('SystemdCgroup = true', 'SystemdCgroup = false', containerdConfig),
    },
    {
      id: 'restart-containerd',
      title: 'Restart containerd',
      script: 'systemctl restart containerd',
      service: 'containerd',
    },
  ]
}

/** Pods outlive a restart of Docker. */
export const dockerSteps: Step[] = [
  {
    id: 'docker',
    title: 'Docker: control groups by systemd, where it runs',
    files: [
      {
        path: '/etc/docker/daemon.json',
        content: JSON.stringify(
          {
            'exec-opts': ['native.cgroupdriver=systemd'],
            'live-restore': true,
            'log-opts': { 'max-size': '10m', 'max-file': '3' },
          },
          null,
          2,
        ),
        foreign: 'stop',
      },
    ],
    script: onlyWithSystemd(
      'cgroupdriver=systemd',
      'cgroupdriver=cgroupfs',
      '/etc/docker/daemon.json',
    ),
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
ctr --namespace ${nodeNamespace} images mount ${quote(image.ref)} "$root"
cp -a "$root"/opt/cni/bin/. /opt/cni/bin/
ctr --namespace ${nodeNamespace} images unmount "$root"
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
        // After whatever is installed for the whole cluster later: containerd takes the first.
        path: '/etc/cni/net.d/99-bridge.conflist',
        content: JSON.stringify(network, null, 2),
        foreign: 'stop',
      },
    ],
  }
}

/** What the kubelet's container mounts must be there. */
export function directoriesStep({ dockershim, hostPaths: asked, runtime }: RecipeRequest): Step {
  const required = hostPaths('kubelet', dockershim).filter(
    ({ path, required }) => required && !/^\/(run|sys)/.test(path),
  )
  const paths = [...required.map(({ path }) => path), '/etc/kubernetes/manifests', ...asked]
  const byEngine = runtime === 'docker' || runtime === 'nerdctl'
  const units = '/etc/systemd/system'
  return {
    id: 'directories',
    title: 'Directories of the kubelet, its own as a shared mount, and an id of the machine',
    files: byEngine
      ? [{ path: `${units}/kubelet-directory.service`, content: directoryUnit(), foreign: 'stop' }]
      : runtime === 'ctr'
        ? [{ path: '/etc/logrotate.d/kubelet', content: logrotate, foreign: 'keep' }]
        : [],
    script: [
      `mkdir -p ${paths.map(quote).join(' ')}`,
      '# Where logind and plugins are looked for; not every host lets them be made.',
      '[ ! -d /run/systemd/system ] || mkdir -p /etc/systemd/logind.conf.d',
      'mkdir -p /usr/libexec/kubernetes 2>/dev/null || true',
      sharedKubeletDirectory,
      ...(byEngine
        ? ['[ ! -d /run/systemd/system ] || systemctl enable --now kubelet-directory.service']
        : []),
      '[ -s /etc/machine-id ] || tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id',
    ].join('\n'),
  }
}

export function kubeletConfigStep(config: object): Step {
  return {
    id: 'kubelet-config',
    title: 'Configuration of the kubelet',
    files: [{ path: kubeletConfigFile, content: stringify(config) }],
  }
}

/** The kubelet as a container: what it and the container runtime must see alike has the same path on both sides. */
export function kubeletContainer(
  { image, dockershim, hostPaths: asked, runtime }: RecipeRequest,
  command: readonly string[],
): NodeContainer {
  const mounts: Mount[] = [
    // Docker and nerdctl mount copies of their own, where nothing else is; without a mount the kubelet follows the host's files.
    ...(runtime === 'docker' || runtime === 'nerdctl' ? resolver : []),
    ...hostPaths('kubelet', dockershim),
    ...asked.map((path): Mount => ({ path, propagation: 'rshared' })),
  ]
  return { name: 'kubelet', image: image.ref, command, mounts, life: 'detached' }
}

const resolver: Mount[] = [
  { path: '/etc/resolv.conf', readOnly: true },
  { path: '/etc/hosts', readOnly: true },
]

/** kubeadm as a container, for what it does before the kubelet runs and beside it. */
export function kubeadmContainer(image: string, command: readonly string[]): NodeContainer {
  const mounts = [...resolver, ...hostPaths('kubeadm', false)]
  return { name: 'kubeadm', image, command, mounts, life: 'attached' }
}
