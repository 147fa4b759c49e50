#!/bin/sh
# Compiles alpine-root for the builder's own architecture into $OUT.
set -eu

. /images/retry.sh

cp -r "${0%/*}" /alpine-root && cd /alpine-root
load .
CGO_ENABLED=0 go build -buildvcs=false -trimpath -ldflags '-s -w' -o "$OUT/alpine-root" .
