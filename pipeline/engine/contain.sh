#!/bin/sh
# Runs the Dagger engine so that the host keeps nothing of it: started by `unshare --pid --mount`, it is the
# first process of its pid namespace, and whatever the engine starts ends with it.
#
# CACHE  cache directory        BIN  directory with the engine's programs
# RUN    for socket and mounts; mounts in it are seen by the engine only
set -eu

case ${1:-outside} in
outside)
  # The engine gets a network of its own: bridges, veths, iptables rules and sysctls stay in it.
  # slirp4netns forwards its connections without touching the host's interfaces or firewall.
  unshare --net --mount --propagation slave "$0" inside &
  engine=$!
  trap 'kill -TERM $engine 2>/dev/null' TERM INT
  until [ "$(readlink "/proc/$engine/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
  slirp4netns --configure --mtu=65520 --disable-host-loopback "$engine" tap0 &
  # A signal interrupts wait; the second one waits for the engine's orderly end.
  wait $engine || wait $engine
  ;;
inside)
  mount -t tmpfs tmpfs "$RUN/private"
  # The engine writes into these: its resolv.conf would end the host's DNS. What it writes goes to a tmpfs.
  for dir in etc run; do
    mkdir -p "$RUN/private/$dir/upper" "$RUN/private/$dir/work"
    mount -t overlay overlay "/$dir" \
      -o "lowerdir=/$dir,upperdir=$RUN/private/$dir/upper,workdir=$RUN/private/$dir/work"
  done
  mount -t tmpfs tmpfs /var/lib/cni
  # /sys of the new network, with the control groups that were there.
  mkdir "$RUN/private/cgroup"
  mount --rbind /sys/fs/cgroup "$RUN/private/cgroup"
  mount -t sysfs sysfs /sys
  mount --rbind "$RUN/private/cgroup" /sys/fs/cgroup
  # slirp4netns answers DNS at this address by the host's own resolver.
  rm -f /etc/resolv.conf
  echo 'nameserver 10.0.2.3' >/etc/resolv.conf
  # The engine's own limits are shares of the disk, 189 GB of one with 252 GB: too much for a cache beside other work.
  mkdir -p /etc/dagger
  echo '{"gc": {"maxUsedSpace": "30GB", "reservedSpace": "10GB", "minFreeSpace": "10GB"}}' >/etc/dagger/engine.json
  until grep -q '^tap0' /proc/net/route; do sleep 0.05; done
  echo 1 >/proc/sys/net/ipv4/ip_forward
  PATH=$BIN:$PATH exec "$BIN/engine" \
    --root "$CACHE/engine/state" --addr "unix://$RUN/engine.sock" \
    --oci-cni-binary-dir "$BIN" \
    --network-name kimages --network-cidr 10.88.64.0/18
  ;;
esac
