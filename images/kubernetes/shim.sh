# shellcheck shell=sh
# Sourced by scripts that load packages of Kubernetes: $module, and the current directory as a main module for
# release $KUBERNETES, with $cache the start of the names under which the module cache keeps what it knows of it.
# Needs retry.sh.

module=k8s.io/kubernetes
staging=v0.${KUBERNETES#v1.}

# The main module is a shim around Kubernetes' own go.mod: the same requirements, its staging
# directories replaced by the modules published from them. So every source has a version and a checksum
# that the checksum database knows, and that `go version -m` shows.
retry go mod download "$module@$KUBERNETES"
cache=$(go env GOMODCACHE)/cache/download/$module/@v/$KUBERNETES
mkdir -p /shim
cd /shim || exit
sed -E \
  -e "s|^module .*|module kubelet-images|" \
  -e "s|=> \./staging/src/(k8s\.io/[^ ]+).*|=> \1 $staging|" \
  "$cache.mod" >go.mod
go mod edit -require="$module@$KUBERNETES"
cat "$(go env GOMODCACHE)/$module@$KUBERNETES/go.sum" >go.sum
