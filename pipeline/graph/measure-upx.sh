#!/bin/sh
# Compresses the programs of the file tree in /tree in several ways and prints what comes of each, a line of JSON.
#
# RUN   yes: they are programs for this machine
# "$@"  a command that starts a program and ends at once; none for a daemon, which is measured as it is
set -eu

# shellcheck source=pipeline/graph/upx.sh
. /packings.sh
[ $# -gt 0 ] || packings=none

for packing in $packings; do
  root=/measure/$packing
  mkdir -p "$root"
  cp -a /tree/. "$root"
  pack "$packing" "$root"
  tar --create --file=/layer.tar --directory="$root" --sort=name --owner=0 --group=0 --mtime=@0 .
  start=
  # A program of another architecture is never run.
  if [ $# -gt 0 ] && [ "$RUN" = yes ]; then
    cp -a "$root/." /
    "$@" >/dev/null
    start=$(for _ in 1 2 3 4 5 6 7 8 9 10; do
      before=$(date +%s%N)
      "$@" >/dev/null
      echo $((($(date +%s%N) - before) / 1000))
    done | sort -n | awk 'NR == 1 { printf ",\"start\":%.1f", $1 / 1000 }')
  fi
  printf '{"packing":"%s","extracted":%d,"gzip":%d,"zstd":%d%s}\n' "$packing" \
    "$(find "$root" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }')" \
    "$(libdeflate-gzip -12 -c /layer.tar | wc -c)" "$(zstd --quiet -19 --threads=0 -c /layer.tar | wc -c)" "$start"
done
