#!/bin/sh
# Compiles etcd from the Go module proxy into $OUT/usr/local/bin.
#
# ETCD  release of go.etcd.io/etcd/server/v3, v3.6.16   OUT  where to write
set -eu

. "${0%/*}/../retry.sh"

module=go.etcd.io/etcd/server/v3

# A copy, without the directories of its repository that its go.mod points to; they are published as modules.
retry go mod download "$module@$ETCD"
cp -r "$(go env GOMODCACHE)/$module@$ETCD" /etcd && chmod -R u+w /etcd && cd /etcd
sed -i -E -e '/^replace .* => \.\./d' -e '/^\t.* => \.\./d' -e '/^replace \($/,/^\)$/d' go.mod

# Loading every package downloads every module that the build needs, so that only this is repeated.
retry go list -mod=mod -deps . >/dev/null
mkdir -p "$OUT/usr/local/bin"
CGO_ENABLED=0 go build -mod=mod -buildvcs=false -trimpath -ldflags '-s -w' -o "$OUT/usr/local/bin/etcd" .
