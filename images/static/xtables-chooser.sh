#!/bin/sh
# Build the program that runs iptables in the mode the host uses, and the links by which it is called.
# Environment: GNU_TRIPLET, MUSL_TRIPLET, OUT (file tree to write into).
# shellcheck disable=SC2086 # lists of words are split
set -eu
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=images/static/musl.sh
. "$here/musl.sh"

mkdir -p "$OUT/usr/sbin"
$CC $CFLAGS $LDFLAGS -o "$OUT/usr/sbin/xtables-chooser" "$here/xtables-chooser.c"
for command in iptables ip6tables; do
  for suffix in '' -save -restore; do
    ln -s xtables-chooser "$OUT/usr/sbin/$command$suffix"
  done
done
