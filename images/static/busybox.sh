#!/bin/sh
# Build a small static busybox (busybox.config says what is in it) and its links.
# Environment: GNU_TRIPLET, MUSL_TRIPLET, SRC (holds the unpacked busybox), OUT (file tree to write into).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
source=busybox
# shellcheck source=images/static/musl.sh
. "$here/musl.sh"

# Keeps the time of the build out of the program.
export KCONFIG_NOTIMESTAMP=1
make -s allnoconfig >/dev/null
grep -o '^CONFIG_[A-Z0-9_]*' "$here/busybox.config" >"$work/settings"
{ cat "$here/busybox.config"; grep -vwFf "$work/settings" .config; } >"$work/config"
mv "$work/config" .config
make -s oldconfig </dev/null >/dev/null
# kconfig drops an unknown or impossible setting without a word.
grep '^CONFIG' "$here/busybox.config" | while read -r line; do
  grep -qxF "$line" .config || { echo "busybox.config: not applied: $line" >&2; exit 1; }
done
mkdir -p "$OUT"
make -s -j2 CROSS_COMPILE="$GNU_TRIPLET-" CC="$CC" SKIP_STRIP=y CONFIG_PREFIX="$OUT" \
  CONFIG_EXTRA_CFLAGS="$CFLAGS" CONFIG_EXTRA_LDFLAGS="$LDFLAGS" install
