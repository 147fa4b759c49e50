#!/bin/sh
# Compiles alpine-root, the program in apko/, for the builder's own architecture into $OUT.
set -eu

. "${0%/*}/../retry.sh"

cp -r "${0%/*}/apko" /alpine-root && cd /alpine-root
# Loading every package downloads every module that the build needs, so that only this is repeated.
retry go list -deps . >/dev/null
CGO_ENABLED=0 go build -buildvcs=false -trimpath -ldflags '-s -w' -o "$OUT/alpine-root" .
