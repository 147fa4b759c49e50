#!/bin/sh
# A machine to run a node on, in namespaces of its own: started by `unshare --pid --mount --net --uts`, so that
# processes, mounts and interfaces of the test end with it. Runs containerd until it is killed.
#
# DIR   directory on the host for everything that a node keeps
# NAME  host name     ADDRESS  its IP address
set -eu

mount --make-rshared /
hostname "$NAME"
ip link set lo up
# An uplink to nowhere: kubelet wants an address and a default route.
ip link add uplink type veth peer name nowhere
ip address add "$ADDRESS/24" dev uplink
ip link set uplink up
ip link set nowhere up
ip route add default dev uplink

for path in /run /var/lib/kubelet /var/lib/containerd /var/log/pods /etc/kubernetes; do
  mkdir -p "$DIR/root$path"
  [ -d "$path" ] || { mkdir -p "$path" && echo "$path" >>"$DIR/made"; }
  mount --bind "$DIR/root$path" "$path"
  mount --make-rshared "$path"
done
# /sys of the new network, with the control groups that were there.
mkdir /run/cgroup
mount --rbind /sys/fs/cgroup /run/cgroup
mount -t sysfs sysfs /sys
mount --rbind /run/cgroup /sys/fs/cgroup

exec containerd --config "$DIR/containerd.toml"
