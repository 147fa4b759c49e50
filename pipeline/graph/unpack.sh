#!/bin/sh
# Unpacks Debian packages: no script of a package runs, and nothing has to be installed beside it.
# $1  directory to lay them over        $2…  package files, in the order in which they are laid down
set -eu

directory=$1
shift
mkdir -p "$directory"
for package; do
  data=$(ar t "$package" | grep '^data\.tar')
  case $data in
  *.xz) unpack='xz --decompress --stdout' ;;
  *.zst) unpack='zstd --decompress --stdout' ;;
  *.gz) unpack='gzip --decompress --stdout' ;;
  *) echo "$package: $data is packed in a way that is not known here" >&2 && exit 1 ;;
  esac
  ar p "$package" "$data" | $unpack | tar --extract --directory="$directory" --keep-directory-symlink
done
