#!/bin/sh
# Debian's nft with the libraries it needs in a directory of their own, /usr/lib/nft.
# Environment: GNU_TRIPLET, OUT (file tree to write into).
set -eu

# The one program that is not static: neither the source of nftables nor a static library of it can be had from every Debian
# mirror. Its loader and libraries are found beside it alone, so that nothing else in the image depends on them.
directory=/usr/lib/nft
mkdir -p "$OUT$directory" "$OUT/usr/sbin"

# Copies a file and what it needs. readelf reads it, because a program of the target is never run.
copy() {
  [ ! -e "$OUT$directory/${1##*/}" ] || return 0
  install --mode=644 "$1" "$OUT$directory/"
  for library in $(readelf --dynamic "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
    copy "/usr/lib/$GNU_TRIPLET/$library"
  done
}
copy /usr/sbin/nft

loader=$(readelf --program-headers /usr/sbin/nft | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
chmod 755 "$OUT$directory/nft"
install "$loader" "$OUT$directory/"
# Of all that is needed the first, so that its functions are found before those of the library that it stands before. A call of its own:
# together with others patchelf would write this name into the rpath.
"$GNU_TRIPLET-gcc" -Os -s -shared -fPIC -Wl,-z,max-page-size=4096 -o "$OUT$directory/nft-compat.so" "${0%/*}/nft-compat.c"
chmod 644 "$OUT$directory/nft-compat.so"
patchelf --add-needed nft-compat.so "$OUT$directory/nft"
# DT_RPATH, which holds for the libraries of libraries as well; DT_RUNPATH would not.
patchelf --set-interpreter "$directory/${loader##*/}" --force-rpath --set-rpath "$directory" "$OUT$directory/nft"
ln -s "../lib/nft/nft" "$OUT/usr/sbin/nft"
