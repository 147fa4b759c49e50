#!/bin/sh
# Compiles Kubernetes' own end-to-end tests, the program that runs them in parallel, and the program of the image that their
# pods are made of, from the Go module proxy: $OUT/usr/local/bin/e2e.test and ginkgo, and in $OUT/images/NAME what is in images.
#
# KUBERNETES  release, v1.24.0   OUT  where to write
set -eu

# shellcheck source=images/retry.sh
. "${0%/*}/../retry.sh"
# shellcheck source=images/kubernetes/shim.sh
. "${0%/*}/../kubernetes/shim.sh"

ginkgo=$(go list -mod=mod -m -f '{{.Path}}' github.com/onsi/ginkgo/v2 2>/dev/null || echo github.com/onsi/ginkgo)

load -mod=mod -test "$ginkgo/ginkgo" "$module/test/images/agnhost" "$module/test/e2e"

export CGO_ENABLED=0
mkdir -p "$OUT/usr/local/bin"
go build -mod=mod -trimpath -ldflags '-s -w' -o "$OUT/usr/local/bin/" "$ginkgo/ginkgo"
images=$(go env GOMODCACHE)/$module@$KUBERNETES/test/images
mkdir -p "$OUT/images/agnhost" "$OUT/images/nautilus"
go build -mod=mod -trimpath -ldflags '-s -w' -o "$OUT/images/agnhost/" "$module/test/images/agnhost"
# As the Dockerfiles of these images have it.
cp "$images"/agnhost/porter/localhost.* "$OUT/images/agnhost/"
cp "$images"/nautilus/html/* "$OUT/images/nautilus/"
go test -c -mod=mod -trimpath -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$KUBERNETES" \
  -o "$OUT/usr/local/bin/e2e.test" "$module/test/e2e"
