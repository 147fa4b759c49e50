#!/bin/sh
# Unpacks the source of a Debian package into /source: upstream's, with the patches that Debian builds it with.
#
# $1  upstream's archive    $2  Debian's part, the .debian.tar; empty: the archive does not serve it
set -eu

mkdir /source
cd /source
tar --extract --strip-components=1 --file="$1"
[ -n "$2" ] || exit 0
tar --extract --file="$2"
if [ -s debian/patches/series ]; then
  # A series names one patch a line; what follows a name are options of patch that nothing here uses.
  sed -e 's/[[:space:]]*#.*//' -e '/^[[:space:]]*$/d' debian/patches/series | while read -r name _; do
    patch --quiet --strip=1 --fuzz=0 --input="debian/patches/$name"
  done
fi
rm -r debian
# A patched file that is newer than what was generated from it would start the tools that generate it.
find . -exec touch --no-dereference --date=@0 {} +
