#!/bin/sh
# Looks whether this machine can be the node of a recipe, and changes nothing. A line for what does not fit: what, why, what to do.
# Before it: release=v1.24.0, runtime of the recipe, containerd=oldest major of it, dockershim=yes or nothing.
# shellcheck disable=SC2154 # these are set before it
set -u

status=0
error() { echo "error: $1, so $2. $3." && status=1; }
warning() { echo "warning: $1, so $2. $3."; }
has() { command -v "$1" >/dev/null 2>&1; }
minor=${release#v1.}
minor=${minor%%.*}

[ "$(id -u)" = 0 ] || error 'this is not root' 'nothing of the recipe can be done' 'Run it as root'

for program in mount mountpoint sysctl modprobe; do
  has "$program" || error "$program is missing" 'the recipe stops where it needs it' 'Install util-linux, procps and kmod'
done
client=$runtime
[ "$client" != systemd ] || client=ctr
has "$client" || error "$client is missing" 'the kubelet cannot be started' 'Install containerd, nerdctl or Docker'
if [ "$runtime" = systemd ] && [ ! -d /run/systemd/system ]; then
  error 'this host does not run systemd' 'no unit starts the kubelet' 'Take --runtime ctr'
fi

if [ -z "$dockershim" ]; then
  if version=$(ctr version 2>/dev/null | sed -n '/^Server/,$s/^ *Version: *v*//p') && [ -n "$version" ]; then
    [ "${version%%.*}" -ge "$containerd" ] ||
      error "containerd is $version" "the kubelet of $release finds no runtime of its version" "Install containerd $containerd"
  else
    error 'containerd does not answer' 'no pod runs' 'Start it: systemctl start containerd'
  fi
fi

if [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
  if [ "$minor" -ge 35 ]; then
    warning 'this host has version 1 of control groups' "the kubelet of $release runs only with failCgroupV1: false, which the recipe sets" \
      'Start the host with systemd.unified_cgroup_hierarchy=1'
  fi
  grep -qw memory /proc/cgroups || error 'control groups for memory are off' 'the kubelet ends at once' 'Start the host with cgroup_enable=memory'
fi
grep -qw overlay /proc/filesystems || modprobe -n -q overlay ||
  error 'the kernel has no overlay' 'containerd cannot unpack images' 'Install the modules of this kernel'
[ -e /proc/sys/net/bridge ] || modprobe -n -q br_netfilter ||
  error 'the kernel has no br_netfilter' 'pods may not reach services on their own node' 'Install the modules of this kernel'
[ "$(wc -l </proc/swaps)" -le 1 ] || warning 'swap is in use' 'limits of memory do not hold as pods expect' 'Run swapoff -a'
has iptables || has nft || warning 'iptables is missing' 'CNI plugins of this host translate no addresses and open no host ports' 'Install iptables'
if grep -q '^nameserver 127[.]' /etc/resolv.conf 2>/dev/null && [ ! -e /run/systemd/resolve/resolv.conf ]; then
  warning '/etc/resolv.conf names a resolver on this machine' 'pods with its DNS would ask themselves' \
    'Name another file by KUBELET_EXTRA_ARGS=--resolv-conf=FILE in /etc/default/kubelet'
fi
for file in /etc/containerd/config.toml /etc/systemd/system/kubelet.service; do
  [ ! -e "$file" ] || grep -q kubelet-images "$file" ||
    warning "$file is somebody else's" 'the recipe keeps it beside its own, or stops' 'Look what it is for'
done
if has ss && ss -Hltn 'sport = :10250' | grep -q .; then
  pgrep -x kubelet >/dev/null && warning 'a kubelet runs' 'the recipe starts another in its place' 'Stop it first, unless it is the recipe'"'"'s'
fi

[ "$status" != 0 ] || echo "this machine can be a node of $release"
exit "$status"
