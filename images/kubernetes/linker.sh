# shellcheck shell=sh
# Sourced by scripts that compile Go programs.
#
# Go's linker keeps every exported method of every type in use as soon as the program has one function that looks a
# method up by name while it runs; text/template has one. That is a quarter of a kubelet: methods of API types, clients
# and descriptors which nothing calls. The linker made here keeps only those which have a name that is ever looked up.
# It also keeps everything for a program with cgo and package plugin, which no static program can load any with.
# shellcheck disable=SC2016 # Go reads the templates

# The packages that were read for this: each looks up methods whose names are strings in the same file, except
#   text/template             the fields and methods named in templates
#   go-cmp/cmp/internal/value methods of interface types, which are kept anyway
#   reflect2                  hands on reflect's functions, which nothing calls
# A function of any other package stops the link.
audited="
text/template
github.com/gogo/protobuf/proto
github.com/golang/protobuf/proto
github.com/google/go-cmp/cmp
github.com/google/go-cmp/cmp/internal/value
github.com/modern-go/reflect2
go.starlark.net/starlark
google.golang.org/protobuf/internal/descfmt
google.golang.org/protobuf/internal/impl
k8s.io/apimachinery/pkg/runtime
"

# small_linker DIRECTORY TAGS PACKAGE  makes DIRECTORY/link for a program, and DIRECTORY/exec for `go build -toolexec`.
small_linker() {
  mkdir -p "$1"
  go list -mod=mod -deps -tags "$2" \
    -f '{{$dir := .Dir}}{{range .GoFiles}}{{$dir}}/{{.}}{{"\n"}}{{end}}{{range .CgoFiles}}{{$dir}}/{{.}}{{"\n"}}{{end}}' \
    "$3" | grep . >"$1/sources"
  {
    xargs grep -zohE '\{\{[^}]*\}\}' <"$1/sources" | tr '\0' '\n' |
      grep -oE '(\{\{-?|[[:space:](|$,=])\$?[A-Za-z0-9_]*(\.[A-Z][A-Za-z0-9_]*)+' | grep -oE '\.[A-Z][A-Za-z0-9_]*'
    xargs grep -lE '\.MethodByName\(' <"$1/sources" | xargs grep -ohE '"[A-Z][A-Za-z0-9_]*"'
  } | tr -d '."' | sort -u >"$1/names"

  from=$(go env GOROOT)/src/cmd/link/internal/ld
  sed -e 's/symIdx := d\.wq\.pop()/&; d.auditReflection(symIdx)/' -e 's/m\.isExported()/lookedUp[m.m.name]/' \
    "$from/deadcode.go" >"$1/deadcode.go"
  sed -e 's/ctxt\.canUsePlugins = /&false \&\& /' "$from/lib.go" >"$1/lib.go"
  [ "$(cat "$1/deadcode.go" "$1/lib.go" | grep -cE 'd\.auditReflection\(|lookedUp\[|canUsePlugins = false')" = 3 ] ||
    { echo "this release of Go has another linker than linker.sh changes" >&2; return 1; }
  {
    echo 'package ld; import ("cmd/link/internal/loader"; "strings")'
    echo 'var lookedUp = map[string]bool{'
    sed 's/.*/"&": true,/' "$1/names"
    echo '}; var audited = map[string]bool{"reflect": true,'
    for package in $audited; do echo "\"$package\": true,"; done
    cat <<'GO'
}

func (d *deadcodePass) auditReflection(s loader.Sym) {
	name := d.ldr.SymName(s)
	if name == "" || strings.HasPrefix(name, "type.") || strings.HasPrefix(name, "type:") {
		return
	}
	// What the compiler makes for a type of another package belongs to the package that needed it.
	base := strings.LastIndexByte(name, '/') + 1
	if audited[d.ldr.SymPkg(s)] || audited[name[:base]+strings.SplitN(name[base:], ".", 2)[0]] {
		return
	}
	if strings.Contains(name, ".Methods.Value.Methods.") {
		return // what Go 1.26 adds to every type around a reflect.Value
	}
	looksUp := d.ldr.IsReflectMethod(s)
	for i, relocs := 0, d.ldr.Relocs(s); i < relocs.Count(); i++ {
		callee := relocs.At(i).Sym()
		if callee == 0 {
			continue
		}
		called := d.ldr.SymName(callee)
		looksUp = looksUp || called == "reflect.Value.Method" || called == "reflect.Value.MethodByName"
	}
	if looksUp {
		Exitf("%s of %q looks methods up by reflection: read it, and add the package to linker.sh", name, d.ldr.SymPkg(s))
	}
}
GO
  } >"$1/audit.go"
  # cgo of Go below 1.18 does not know that clang describes string literals as variables without a name; later ones skip them.
  cgo=${from%/link/internal/ld}/cgo
  sed '/name == "" || typOff == 0/,/fatalf/s/fatalf("malformed DWARF TagVariable entry")/break/' "$cgo/gcc.go" >"$1/gcc.go"
  echo "{\"Replace\": {\"$from/deadcode.go\": \"$1/deadcode.go\", \"$from/lib.go\": \"$1/lib.go\", \"$from/audit.go\": \"$1/audit.go\",
    \"$cgo/gcc.go\": \"$1/gcc.go\"}}" >"$1/overlay.json"
  # The release's own go command and no module cache: newer ones refuse to overlay files in the cache, where they live.
  for tool in link cgo; do
    (cd "$from" && GOOS='' GOARCH='' GOTOOLCHAIN=local GOMODCACHE=/nonexistent CGO_ENABLED=0 \
      "$(go env GOROOT)/bin/go" build -overlay "$1/overlay.json" -o "$1/$tool" "cmd/$tool")
  done

  # Everything but these, the question for the tool's version included, stays with the tools of the release.
  cat >"$1/exec" <<EXEC
#!/bin/sh
case \$1:\${2:-} in
  */link:-V=* | */cgo:-V=*) ;;
  */link:*) shift && exec "$1/link" "\$@" ;;
  */cgo:*) shift && exec "$1/cgo" "\$@" ;;
esac
exec "\$@"
EXEC
  chmod +x "$1/exec"
}
