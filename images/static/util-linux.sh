#!/bin/sh
# Build the mount tools of util-linux as one static program, util-linux, and its links.
# Environment: GNU_TRIPLET, MUSL_TRIPLET, SRC (holds the unpacked util-linux), OUT (file tree to write into).
# shellcheck disable=SC2046,SC2086 # lists of words are split
set -eu
here=$(cd "$(dirname "$0")" && pwd)
source=util-linux
# shellcheck source=images/static/musl.sh
. "$here/musl.sh"

# mountpoint too: busybox's does not see a bind mount within one file system. No fsck: it only runs fsck.ext4 and such.
programs='mount umount mountpoint findmnt nsenter losetup blkid blockdev'

# --build differs from --host in every case, so that configure never runs what it compiles.
# Only what is named to make below is built, so programs need no switches here.
./configure -q --build="$(uname -m)-builder-linux-gnu" --host="$GNU_TRIPLET" --prefix=/usr --disable-dependency-tracking \
  --disable-shared --enable-static --disable-nls --disable-asciidoc --disable-poman --disable-bash-completion --disable-liblastlog2 \
  --without-ncursesw --without-ncurses --without-tinfo --without-readline --without-udev --without-systemd \
  --without-cap-ng --without-libz --without-libmagic --without-user --without-econf --without-btrfs --without-python \
  CC="$CC" CFLAGS="$CFLAGS"

objects() { make -s --eval="show: ; @echo \$($1_OBJECTS)" show; }
make -s -j2 libcommon.la libblkid.la libmount.la libsmartcols.la $(for p in $programs; do objects $p; done)

# A program becomes one object that shows nothing but its main, under a name of its own.
for p in $programs; do
  $CC -r -nostdlib -o "$p-all.o" $(objects $p)
  "$GNU_TRIPLET-objcopy" --redefine-sym main="${p}_main" --keep-global-symbol="${p}_main" "$p-all.o"
done
printf 'COMMAND(%s)\n' $programs >commands.h
mkdir -p "$OUT/usr/bin"
$CC $CFLAGS $LDFLAGS -I. -o "$OUT/usr/bin/util-linux" "$here/commands.c" $(printf '%s-all.o ' $programs) \
  -Wl,--start-group .libs/libcommon.a .libs/libblkid.a .libs/libmount.a .libs/libsmartcols.a -Wl,--end-group

for p in $programs; do
  ln -sf util-linux "$OUT/usr/bin/$p"
done
