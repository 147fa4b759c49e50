#!/bin/sh
# Compiles crictl from the Go module proxy into $OUT/usr/bin, stamped like an upstream release.
#
# CRICTL  release of sigs.k8s.io/cri-tools, v1.30.0   OUT  where to write
set -eu

. "${0%/*}/../retry.sh"

module=sigs.k8s.io/cri-tools
staging=v0.${CRICTL#v1.}

# The main module is a shim around cri-tools' own go.mod: the same requirements, its replacements by
# staging directories of Kubernetes replaced by the modules published from them. Up to v1.30 cri-tools
# calls itself by another path than the one it is published at.
retry go mod download "$module@$CRICTL"
modules=$(go env GOMODCACHE)
cache=$modules/cache/download/$module/@v/$CRICTL
path=$(sed -n 's/^module //p' "$cache.mod")
mkdir -p /shim && cd /shim
sed -E \
  -e "s|^module .*|module kubelet-images|" \
  -e "s|=> k8s\.io/kubernetes/staging/src/(k8s\.io/[^ ]+).*|=> \1 $staging|" \
  "$cache.mod" >go.mod
go mod edit -require="$path@$CRICTL" -replace="$path=$module@$CRICTL"
cat "$modules/$module@$CRICTL/go.sum" >go.sum

# Loading every package downloads every module that the build needs, so that only this is repeated.
retry go list -mod=mod -deps -tags "${TAGS:-}" "$path/cmd/crictl" >/dev/null
mkdir -p "$OUT/usr/bin"
CGO_ENABLED=0 go build -mod=mod -buildvcs=false -trimpath -gcflags="${GCFLAGS:-}" -tags "${TAGS:-}" \
  -ldflags "${LINK--s -w} -X $path/pkg/version.Version=$CRICTL" -o "$OUT/usr/bin/crictl" "$path/cmd/crictl"
