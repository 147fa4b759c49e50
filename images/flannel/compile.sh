#!/bin/sh
# Compiles flannel's daemon and its CNI plugin from the Go module proxy, to where its DaemonSet looks for them,
# $OUT/opt/bin/flanneld and $OUT/flannel, and writes the manifest of that DaemonSet, $OUT/kube-flannel.yml.
#
# FLANNEL  release of github.com/flannel-io/flannel, v0.26.7
# PLUGIN   release of github.com/containernetworking/plugins that has the plugin, v0.9.1
# OUT      where to write
set -eu

. "${0%/*}/../retry.sh"

modules=$(go env GOMODCACHE)
flags='-mod=mod -buildvcs=false -trimpath'
export CGO_ENABLED=0

# Copies of modules, because their own go.mod and go.sum say what they require. Loading every package downloads every module
# that a build needs, so that only this is repeated.
enter() {
  retry go mod download "$1@$2"
  cp -r "$modules/$1@$2" "$3" && chmod -R u+w "$3" && cd "$3"
}

enter github.com/flannel-io/flannel "$FLANNEL" /flannel
# The backend for kernels without vxlan, and the only one that needs cgo.
sed -i '/backend\/udp"/d' main.go
retry go list -mod=mod -deps . >/dev/null
mkdir -p "$OUT/opt/bin"
go build $flags -ldflags "-s -w -X github.com/flannel-io/flannel/pkg/version.Version=$FLANNEL" -o "$OUT/opt/bin/flanneld" .
cp Documentation/kube-flannel.yml "$OUT/"

enter github.com/containernetworking/plugins "$PLUGIN" /plugins
retry go list -mod=mod -deps ./plugins/meta/flannel >/dev/null
go build $flags -ldflags '-s -w' -o "$OUT/flannel" ./plugins/meta/flannel
