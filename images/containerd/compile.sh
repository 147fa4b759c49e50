#!/bin/sh
# Compiles containerd, its shim and ctr from the Go module proxy into $OUT/usr/local/bin.
#
# CONTAINERD  release of github.com/containerd/containerd/v2, v2.1.5   OUT  where to write
set -eu

. "${0%/*}/../retry.sh"

module=github.com/containerd/containerd/v2

# A copy, because its own go.mod and go.sum say what it requires.
retry go mod download "$module@$CONTAINERD"
cp -r "$(go env GOMODCACHE)/$module@$CONTAINERD" /containerd && chmod -R u+w /containerd && cd /containerd
sed -i -E '/=> \.\//d' go.mod

# Loading every package downloads every module that the build needs, so that only this is repeated.
programs='./cmd/containerd ./cmd/containerd-shim-runc-v2 ./cmd/ctr'
retry go list -mod=mod -deps $programs >/dev/null
mkdir -p "$OUT/usr/local/bin"
CGO_ENABLED=0 go build -mod=mod -buildvcs=false -trimpath \
  -ldflags "-s -w -X $module/version.Version=$CONTAINERD" -o "$OUT/usr/local/bin/" $programs
