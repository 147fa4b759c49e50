#!/bin/sh
# Compiles Kubernetes programs from the Go module proxy into $OUT$DIRECTORY, stamped like an upstream release:
# several become one binary with the name of the first, and links to it with the names of the others.
#
# KUBERNETES  release, v1.24.0          PROGRAMS names in cmd/, separated by spaces
# COMMIT      its git commit, if known  TAGS     Go build tags, comma-separated
# CC          C compiler; empty: no cgo DIRECTORY  where they are in the image, /usr/bin
# LINKER      small: linker.sh's; go: the release's own, for programs that were not read for the small one
# GCFLAGS     flags of the compiler by pattern of packages, separated by spaces; later ones win
# OUT         where to write
# /preflight has what looks at the node before the kubelet starts.
# shellcheck disable=SC2086 # lists of words are split
set -eu

# shellcheck source=images/retry.sh
. "${0%/*}/../retry.sh"
# shellcheck source=images/kubernetes/linker.sh
. "${0%/*}/linker.sh"
# shellcheck source=images/kubernetes/shim.sh
. "${0%/*}/shim.sh"

# Upstream's main packages, made importable.
package_of() { echo "$1" | tr -d -; }
for program in $PROGRAMS; do
  package=$(package_of "$program")
  mkdir "$package"
  for file in "$(go env GOMODCACHE)/$module@$KUBERNETES/cmd/$program"/*.go; do
    sed -e "s/^package main\$/package $package/" -e 's/^func main()/func Main()/' "$file" >"$package/${file##*/}"
  done
done
if [ -d kubelet ]; then
  cp /preflight/preflight.go /preflight/host.json kubelet/
  printf 'package kubelet\n\nconst release = "%s"\n' "$KUBERNETES" >kubelet/release.go
fi

# A main that picks one by the name it is called by.
first=${PROGRAMS%% *}
# Flags that packages of kubelet register when they load are none of another program's.
flags=flag.CommandLine
[ "$first" != kubelet ] || flags='flag.NewFlagSet(os.Args[0], flag.ExitOnError)'
{
  echo 'package main; import ("flag"; "os"; "path/filepath")'
  for program in $PROGRAMS; do echo "import \"kubelet-images/$(package_of "$program")\""; done
  echo 'func main() { switch filepath.Base(os.Args[0]) {'
  for program in ${PROGRAMS#"$first"}; do
    echo "case \"$program\": flag.CommandLine = $flags; $(package_of "$program").Main()"
  done
  echo "default: $(package_of "$first").Main() } }"
  echo 'var _ = flag.CommandLine // not every main changes it'
} >main.go

# The proxy knows the time of the release's commit, and for some releases the commit itself.
time=$(sed -n 's/.*"Time" *: *"\([^"]*\)".*/\1/p' "$cache.info")
commit=${COMMIT:-$(sed -n 's/.*"Hash" *: *"\([0-9a-f]\{40\}\)".*/\1/p' "$cache.info")}
minor=${KUBERNETES#v1.}
stamp=
# The variables that hack/lib/version.sh of Kubernetes sets.
for variable in "gitVersion=$KUBERNETES" "gitMajor=1" "gitMinor=${minor%%.*}" \
  "gitCommit=$commit" "gitTreeState=${commit:+clean}" "buildDate=$time"; do
  stamp="$stamp -X k8s.io/component-base/version.$variable -X k8s.io/client-go/pkg/version.$variable"
done

link="-s -w"
export CGO_ENABLED=0
if [ -n "${CC:-}" ]; then
  # External linking always: newer releases use cgo only in runtime/cgo, which the internal linker
  # would link against the builder's libc.
  link="$link -linkmode=external"
  # Go below 1.19 does not tell zig's linker that what `go version -m` and scanners read is needed.
  case $(go env GOVERSION) in
    go1.16* | go1.17* | go1.18*) link="$link -extldflags '-Wl,-s -Wl,--no-gc-sections'" ;;
    *) link="$link -extldflags -Wl,-s" ;;
  esac
  export CGO_ENABLED=1
fi

load -mod=mod -tags "$TAGS" .
compiler=
for flags in $GCFLAGS; do compiler="$compiler -gcflags=$flags"; done
toolexec=
if [ "$LINKER" = small ]; then
  small_linker /linker "$TAGS" .
  toolexec='-toolexec /linker/exec'
fi
mkdir -p "$OUT$DIRECTORY"
go build -mod=mod -trimpath -tags "$TAGS" $toolexec $compiler \
  -ldflags "$link $stamp" -o "$OUT$DIRECTORY/$first" .
for program in ${PROGRAMS#"$first"}; do ln -s "$first" "$OUT$DIRECTORY/$program"; done
