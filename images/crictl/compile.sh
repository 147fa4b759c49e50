#!/bin/sh
# Compiles crictl from the Go module proxy into $OUT/usr/bin, stamped like an upstream release.
#
# CRICTL  release of sigs.k8s.io/cri-tools, v1.36.0   OUT  where to write
set -eu

# shellcheck source=images/retry.sh
. "${0%/*}/../retry.sh"

module=sigs.k8s.io/cri-tools

# A copy, because a package is changed. The module's own go.mod and go.sum say what it requires, and the
# checksum database knows what they do not.
retry go mod download "$module@$CRICTL"
cp -r "$(go env GOMODCACHE)/$module@$CRICTL" /cri-tools && chmod -R u+w /cri-tools && cd /cri-tools

# It takes one constant from their framework for tests, and with it Ginkgo, Gomega and Go's
# own type checker: 2.7 MB.
if grep -q 'pkg/framework"' cmd/crictl/main.go; then
  rm pkg/framework/*.go
  echo 'package framework; const OSWindows = "windows"' >pkg/framework/framework.go
fi

load -mod=mod ./cmd/crictl
mkdir -p "$OUT/usr/bin"
# Not inlined, the code is a tenth smaller. The tags leave out a generator of manuals and a collector of
# traces for web pages, which no command uses.
CGO_ENABLED=0 go build -mod=mod -buildvcs=false -trimpath -gcflags=all=-l \
  -tags urfave_cli_no_docs,grpcnotrace \
  -ldflags "-s -w -X $(go list -mod=mod ./pkg/version).Version=$CRICTL" -o "$OUT/usr/bin/crictl" ./cmd/crictl
