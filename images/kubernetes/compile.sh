#!/bin/sh
# Compiles one Kubernetes program from the Go module proxy into $OUT$DIRECTORY, stamped like an upstream release.
#
# KUBERNETES  release, v1.24.0          PROGRAM  name in cmd/, kubelet
# COMMIT      its git commit, if known  TAGS     Go build tags, comma-separated
# CC          C compiler; empty: no cgo DIRECTORY  where it is in the image, /usr/bin
# OUT         where to write
set -eu

. "${0%/*}/../retry.sh"
. "${0%/*}/shim.sh"

# The proxy knows the time of the release's commit, and for some releases the commit itself.
time=$(sed -n 's/.*"Time" *: *"\([^"]*\)".*/\1/p' "$cache.info")
commit=${COMMIT:-$(sed -n 's/.*"Hash" *: *"\([0-9a-f]\{40\}\)".*/\1/p' "$cache.info")}
minor=${KUBERNETES#v1.}
stamp=
# The variables that hack/lib/version.sh of Kubernetes sets.
for variable in "gitVersion=$KUBERNETES" "gitMajor=1" "gitMinor=${minor%%.*}" \
  "gitCommit=$commit" "gitTreeState=${commit:+clean}" "buildDate=$time"; do
  stamp="$stamp -X k8s.io/component-base/version.$variable -X k8s.io/client-go/pkg/version.$variable"
done

link="-s -w"
export CGO_ENABLED=0
if [ -n "${CC:-}" ]; then
  # External linking always: newer releases use cgo only in runtime/cgo, which the internal linker
  # would link against the builder's libc.
  link="$link -linkmode=external -extldflags -Wl,-s"
  export CGO_ENABLED=1
fi

# Loading every package downloads every module that the build needs, so that only this is repeated.
retry go list -mod=mod -deps -tags "$TAGS" "$module/cmd/$PROGRAM" >/dev/null
mkdir -p "$OUT$DIRECTORY"
go build -mod=mod -buildvcs=false -trimpath -tags "$TAGS" -ldflags "$link $stamp" \
  -o "$OUT$DIRECTORY/$PROGRAM" "$module/cmd/$PROGRAM"
