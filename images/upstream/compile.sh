#!/bin/sh
# Compiles programs of another project from the Go module proxy, as its own go.mod builds them, into $OUT$DIRECTORY.
#
# MODULE    path of the module      VERSION  its release
# PROGRAMS  NAME=PACKAGE, separated by spaces; packages as in go build
# STAMP     variable that gets the release, IMPORT/PATH.Name; empty: none
# WITHOUT   FILE:REGEX, lines to leave out of a file of the module; empty: none
# FILES     more files of the module, separated by spaces
# DIRECTORY where they are in the image    OUT  where to write
# shellcheck disable=SC2086 # lists of words are split
set -eu

# shellcheck source=images/retry.sh
. "${0%/*}/../retry.sh"

# A copy, because its own go.mod and go.sum say what it requires, but for the directories of its repository that go.mod
# points to: those are published as modules.
retry go mod download "$MODULE@$VERSION"
cp -r "$(go env GOMODCACHE)/$MODULE@$VERSION" /module && chmod -R u+w /module && cd /module
sed -i -E '/=> \.\.?\//d' go.mod
[ -z "$WITHOUT" ] || sed -i -E "\\#${WITHOUT#*:}#d" "${WITHOUT%%:*}"

packages=
for program in $PROGRAMS; do packages="$packages ${program#*=}"; done
load -mod=mod $packages
mkdir -p "$OUT$DIRECTORY"
for program in $PROGRAMS; do
  CGO_ENABLED=0 go build -mod=mod -buildvcs=false -trimpath -ldflags "-s -w ${STAMP:+-X $STAMP=$VERSION}" \
    -o "$OUT$DIRECTORY/${program%%=*}" "${program#*=}"
done
for file in $FILES; do cp "$file" "$OUT$DIRECTORY/"; done
