#!/bin/sh
# Build the static command conntrack, without its expectation commands (see conntrack-expectations.c).
# Environment: GNU_TRIPLET, SRC (holds the unpacked conntrack-tools and libnetfilter-conntrack), OUT (file tree to write into).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tools=$SRC/conntrack-tools
library=$SRC/libnetfilter-conntrack
version=$(sed -n "s/^PACKAGE_VERSION='\(.*\)'/\1/p" "$tools/configure")

# Compiled here, without configure, which would want libraries that only conntrackd needs.
# -w: the linker warns that getprotobyname wants shared NSS modules; "files" is in libc.a since glibc 2.34.
# What needs libnfnetlink is called from nowhere, so it is dropped before the linker misses that library.
mkdir -p "$OUT/usr/sbin"
"$GNU_TRIPLET-gcc" -Os -fno-pie -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables \
  -D_GNU_SOURCE -DHAVE_ARPA_INET_H -DVERSION="\"$version\"" -I"$library/include" -I"$tools/include" -static -s -Wl,--gc-sections,-w \
  -Wl,--wrap=nfct_open,--wrap=nfct_close,--wrap=nfexp_query,--wrap=nfexp_catch,--wrap=nfexp_callback_register \
  -o "$OUT/usr/sbin/conntrack" "$here/conntrack-expectations.c" "$tools/src/conntrack.c" "$tools"/extensions/*.c \
  "$library"/src/*.c "$library"/src/*/*.c -lmnl
