#!/bin/sh
# Build the static command ipset with every set type.
# Environment: GNU_TRIPLET, SRC (holds the unpacked ipset), OUT (file tree to write into).
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -a "$SRC/ipset/." "$work"
cd "$work"

# glibc, because libmnl.a comes from Debian, built for glibc.
CC=$GNU_TRIPLET-gcc
CFLAGS='-Os -w -fno-pie -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables'
export PKG_CONFIG_LIBDIR="/usr/lib/$GNU_TRIPLET/pkgconfig"

# --build differs from --host in every case, so that configure never runs what it compiles.
./configure -q --build="$(uname -m)-builder-linux-gnu" --host="$GNU_TRIPLET" --prefix=/usr --disable-dependency-tracking \
  --disable-shared --enable-static --with-kmod=no CC="$CC" CFLAGS="$CFLAGS"
make -s -j2 -C lib
# -w: the linker warns that getservbyname and others want shared NSS modules; "files" and "dns" are in libc.a since glibc 2.34.
make -s -C src ipset LDFLAGS='-all-static -s -Wl,--gc-sections,-w'
install -D src/ipset "$OUT/usr/sbin/ipset"
