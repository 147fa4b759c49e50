#!/bin/sh
# Lists what one Kubernetes program can execute, from its source, in $OUT/programs.json.
#
# KUBERNETES  release, v1.24.0          PROGRAM  name in cmd/, kubelet
# CC          C compiler; empty: no cgo TAGS     Go build tags, comma-separated
# OUT         where to write
set -eu

. /images/retry.sh
. /images/kubernetes/shim.sh

export CGO_ENABLED=0
# Built for the builder itself: GOARCH is that of the image.
(cd "${0%/*}" && GOARCH='' retry go build -o /programs .)
[ -z "${CC:-}" ] || CGO_ENABLED=1
retry go list -mod=mod -deps -tags "$TAGS" "$module/cmd/$PROGRAM" >/dev/null
mkdir -p "$OUT"
/programs -tags "$TAGS" "$module/cmd/$PROGRAM" >"$OUT/programs.json"
