#!/bin/sh
# A machine to run a node on, in namespaces of its own: started by `unshare --pid --mount --net --uts --cgroup`, so that
# processes, mounts, interfaces and control groups of the node end with it. containerd, and Docker where it is wanted, run on
# it as services do, started again whenever they end.
#
# DIR   directory on the host for everything that a node keeps
# NAME  host name     ADDRESS  its IP address, with a prefix length
# DOCKER  not empty: with Docker's engine
# NEIGHBOUR  the node that the uplink ends at, if any; the other end comes from there
set -eu

mount --make-rshared /
hostname "$NAME"
ip link set lo up
# kubelet wants an address and a default route. An uplink ends nowhere until a neighbour takes that end.
if [ -n "$NEIGHBOUR" ]; then
  until ip link show nowhere >/dev/null 2>&1; do sleep 0.05; done
  ip link set nowhere name uplink
else
  ip link add uplink type veth peer name nowhere
  ip link set nowhere up
fi
ip address add "$ADDRESS" dev uplink
ip link set uplink up
ip route add default dev uplink

for path in /run /var/log /var/lib/cni /var/lib/containerd /var/lib/docker /var/lib/dockershim /var/lib/etcd \
  /var/lib/kubelet /var/lib/nerdctl; do
  mkdir -p "$DIR/root$path"
  [ -d "$path" ] || { mkdir -p "$path" && echo "$path" >>"$DIR/made"; }
  mount --bind "$DIR/root$path" "$path"
  mount --make-rshared "$path"
done
# What the host has there can be read, and is never written.
for path in /etc /opt; do
  mkdir -p "$DIR/root$path" "$DIR/work$path"
  mount -t overlay overlay "$path" -o "lowerdir=$path,upperdir=$DIR/root$path,workdir=$DIR/work$path"
done
printf '127.0.0.1 localhost\n%s %s\n' "${ADDRESS%/*}" "$NAME" >/etc/hosts
# No configuration of the host's for containerd, CNI and Docker.
rm -rf /etc/containerd /etc/cni /etc/docker /opt/cni

# /sys of the new network, and control groups with the node's own as their root.
grep -E ' /sys/fs/cgroup[^ ]* cgroup2? ' /proc/mounts >"$DIR/cgroups"
mount -t sysfs sysfs /sys
if grep -q '^[^ ]* /sys/fs/cgroup cgroup2 ' "$DIR/cgroups"; then
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
else
  mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
  while read -r _ path type options _; do
    mkdir -p "$path"
    controllers=$(echo "$options" | tr , '\n' | grep -vE '^(rw|ro|relatime|noatime|nosuid|nodev|noexec)$' | paste -sd ,)
    case $controllers in name=*) controllers=none,$controllers ;; esac
    mount -t "$type" ${controllers:+-o "$controllers"} cgroup "$path"
  done <"$DIR/cgroups"
fi

service() {
  while :; do "$@" >>"$DIR/$1.log" 2>&1 || sleep 0.1; done
}
[ -z "$DOCKER" ] || service dockerd --containerd=/run/containerd/containerd.sock \
  --add-runtime=node="${0%/*}/runc.sh" --default-runtime=node &
service containerd
