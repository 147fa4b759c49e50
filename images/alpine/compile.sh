#!/bin/sh
# Compiles alpine-root, the program in apko/, for the builder's own architecture into $OUT.
set -eu

. "${0%/*}/../retry.sh"

cp -r "${0%/*}/apko" /alpine-root && cd /alpine-root
load .
CGO_ENABLED=0 go build -buildvcs=false -trimpath -ldflags '-s -w' -o "$OUT/alpine-root" .
