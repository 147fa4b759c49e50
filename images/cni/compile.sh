#!/bin/sh
# Compiles CNI plugins from the Go module proxy into one static binary, $OUT/opt/cni/bin/cni, that acts
# as the plugin by whose name it is called, and writes a link to it for each plugin.
#
# CNI      release of github.com/containernetworking/plugins, v1.9.1
# FLANNEL  release of the same module that has the plugin flannel, v0.9.1; empty: none
# PLUGINS  names in plugins/main, plugins/ipam or plugins/meta, separated by spaces
# OUT      where to write
set -eu

# shellcheck source=images/retry.sh
. "${0%/*}/../retry.sh"

module=github.com/containernetworking/plugins
modules=$(go env GOMODCACHE)

# A copy, because packages are added and changed. The module's own go.mod and go.sum say what it requires.
retry go mod download "$module@$CNI"
cp -r "$modules/$module@$CNI" /cni && chmod -R u+w /cni && cd /cni

if [ -n "${FLANNEL:-}" ]; then
  # The plugin has moved to github.com/flannel-io/cni-plugin, which not every proxy has. Its last state
  # here compiles unchanged with the packages of later releases.
  retry go mod download "$module@$FLANNEL"
  cp -r "$modules/$module@$FLANNEL/plugins/meta/flannel" plugins/meta/ && chmod -R u+w plugins/meta/flannel
fi

# Upstream's main packages, made importable, and a main that picks one by the name it is called by. All
# that the packages do when they load is what bridge and others need: keep main on the main thread.
mkdir cni
for plugin in $PLUGINS; do
  package=$(echo plugins/*/"$plugin")
  [ -d "$package" ] || { echo "no plugin $plugin in $module $CNI" >&2; exit 1; }
  rm -f "$package"/*_test.go # which would belong to package main_test
  sed -i -e 's/^package main$/package plugin/' -e 's/^func main()/func Main()/' "$package"/*.go
  name=$(echo "$plugin" | tr - _)
  echo "import $name \"$module/$package\"" >>cni/imports
  echo "case \"$plugin\": $name.Main()" >>cni/cases
done
{
  echo 'package main; import ("fmt"; "os"; "path/filepath")'
  cat cni/imports
  echo 'func main() { switch name := filepath.Base(os.Args[0]); name {'
  cat cni/cases
  echo "default: fmt.Fprintln(os.Stderr, name, \"is none of: $PLUGINS\"); os.Exit(1) } }"
} >cni/main.go

load ./cni
mkdir -p "$OUT/opt/cni/bin"
# Not inlined, the code is a tenth smaller and starts half a millisecond later.
CGO_ENABLED=0 go build -buildvcs=false -trimpath -gcflags=all=-l \
  -ldflags "-s -w -X $module/pkg/utils/buildversion.BuildVersion=$CNI" -o "$OUT/opt/cni/bin/cni" ./cni
for plugin in $PLUGINS; do
  ln -s cni "$OUT/opt/cni/bin/$plugin"
done
