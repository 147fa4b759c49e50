# shellcheck shell=sh
# Sourced by scripts that build with musl: copies $SRC/$source, if set, to a scratch directory, enters it, sets $CC and $CFLAGS.
# musl and its compiler wrappers come from Debian (musl-dev); the kernel's headers must be named,
# because the wrappers leave /usr/include out.
# shellcheck disable=SC2034 # the scripts that source it use them

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/src"
[ -z "${source:-}" ] || cp -a "$SRC/$source/." "$work/src"
cd "$work/src" || exit

mkdir "$work/kernel"
ln -s /usr/include/linux /usr/include/asm-generic /usr/include/mtd /usr/include/scsi "$work/kernel"
ln -s "/usr/include/$GNU_TRIPLET/asm" "$work/kernel/asm"

CC=$MUSL_TRIPLET-gcc
CFLAGS="-isystem $work/kernel -Os -w -fno-pie -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables"
LDFLAGS='-static -no-pie -s -Wl,--gc-sections'
