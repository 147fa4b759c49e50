#!/bin/sh
# Verifies the file tree in /root and packs it as one normalised OCI layer.
#
# COMPRESSION  zstd or gzip      ELF  machine that every program must be built for, as readelf names it
# STRIPPED     yes: every program must be; no: the tree is as a distribution made it
# Writes $OUT/layer and $OUT/layer.json: digests, sizes in bytes.
set -eu

fail() {
  echo "$1" >&2
  exit 1
}

# Nothing here is run: what the programs are is read from their headers.
find /root -type f -printf '%P\n' | while read -r file; do
  [ "$(head -c 4 "/root/$file" | tail -c 3)" = ELF ] || continue
  machine=$(readelf --file-header "/root/$file" | sed -n 's/^ *Machine: *//p')
  [ "$machine" = "$ELF" ] || fail "/$file: built for $machine, not for $ELF"
  interpreter=$(readelf --program-headers "/root/$file" | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
  [ ! -x "/root/$file" ] || [ -z "$interpreter" ] || [ -e "/root$interpreter" ] || fail "/$file: needs $interpreter, which is not there"
  [ "$STRIPPED" = no ] || ! readelf --section-headers --wide "/root/$file" | grep -q ' \.symtab ' || fail "/$file: not stripped"
done
[ -z "$(find /root -type f -perm /6000)" ] || fail "setuid or setgid: $(find /root -type f -perm /6000)"

# Programs without all of root's capabilities must be able to enter what they may list, and not to remove what others have made.
directories=$(find /root -mindepth 1 -type d \
  '(' ! -perm -100 -o -perm -040 ! -perm -010 -o -perm -004 ! -perm -001 ')' -printf '%m /%P\n')
[ -z "$directories" ] || fail "directories that cannot be entered: $directories"
directories=$(find /root -mindepth 1 -type d -perm -002 ! -perm -1000 -printf '%m /%P\n')
[ -z "$directories" ] || fail "directories that everybody may remove files of others from: $directories"

mkdir -p "$OUT"
# The same tree gives the same bytes: names sorted, no owner, no time of the build.
cd /root
find . -mindepth 1 -printf '%P\0' | LC_ALL=C sort --zero-terminated |
  tar --create --file=/layer.tar --no-recursion --null --files-from=- --format=posix --numeric-owner \
    --owner=0 --group=0 --mtime=@0 --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime
case $COMPRESSION in
# Level 22 takes twice the time of 19, on one core, for 0.7 % less.
zstd) zstd --quiet -19 --threads=0 -o "$OUT/layer" /layer.tar ;;
gzip) libdeflate-gzip -12 -c /layer.tar >"$OUT/layer" ;;
esac

digest() {
  echo "sha256:$(sha256sum "$1" | cut -d' ' -f1)"
}
printf '{"diffId":"%s","digest":"%s","size":%d,"extracted":%d}\n' \
  "$(digest /layer.tar)" "$(digest "$OUT/layer")" "$(stat -c %s "$OUT/layer")" \
  "$(find /root -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }')" >"$OUT/layer.json"
