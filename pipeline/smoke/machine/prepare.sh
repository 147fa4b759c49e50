#!/bin/sh
# Makes the root of a machine, $1, ready for the test: who may come in, its network, its file systems. The key is $KEY.
set -eu

install -d -m 700 "$1/root/.ssh"
install -m 600 "$KEY.pub" "$1/root/.ssh/authorized_keys"
cat >"$1/etc/fstab" <<'EOF'
/dev/vda / ext4 defaults 0 1
/dev/vdb /opt/images ext4 ro,nofail 0 0
EOF
mkdir -p "$1/opt/images"
# A machine gets its address by that of its card. The resolver is there for nobody: nothing leaves the network of the test.
for number in 1 2; do
  cat >"$1/etc/systemd/network/10-node-$number.network" <<EOF
[Match]
MACAddress=52:54:00:00:00:0$number

[Network]
Address=198.51.100.$number/24
Gateway=198.51.100.254
DNS=198.51.100.254
EOF
done
chroot "$1" systemctl enable systemd-networkd systemd-resolved ssh
ln -sf ../run/systemd/resolve/stub-resolv.conf "$1/etc/resolv.conf"
# For the tests that ask for it.
chroot "$1" systemctl disable docker.service docker.socket
# Made at the first start, as on a machine that was installed from an image.
: >"$1/etc/machine-id"
