package main

import (
	"os"
	"runtime/debug"
	"testing"
)

func TestModuleOf(t *testing.T) {
	info := &debug.BuildInfo{
		Main: debug.Module{Path: "k8s.io/kubernetes"},
		Deps: []*debug.Module{{Path: "gopkg.in/yaml.v3"}, {Path: "github.com/a/b"}, {Path: "github.com/a/b/v2"}},
	}
	for symbol, want := range map[string]string{
		"main.main":                              "k8s.io/kubernetes",
		"k8s.io/kubernetes/pkg/kubelet.(*K).Run": "k8s.io/kubernetes",
		"gopkg.in/yaml%2ev3.Unmarshal":           "gopkg.in/yaml.v3",
		"github.com/a/b/c.F":                     "github.com/a/b",
		"github.com/a/b/v2/c.F":                  "github.com/a/b/v2",
		"github.com/a/bc.F":                      "github.com/a/bc",
		"runtime.mallocgc":                       "std",
		"net/http.(*Client).Do":                  "std",
		"slices.Sort[github.com/a/b.T]":          "std",
		"type:.eq.struct { a int }":              "(made by the compiler)",
		"go:buildid":                             "(made by the compiler)",
	} {
		if got := moduleOf(symbol, info); got != want {
			t.Errorf("%s is of %q, want %q", symbol, got, want)
		}
	}
}

// The parts of a real program, this test, add up to its file.
func TestPartsAddUp(t *testing.T) {
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parts, err := partsOf(name)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	var sum uint64
	for _, part := range parts {
		sum += part.Bytes
	}
	if sum != uint64(info.Size()) || len(parts) < 4 {
		t.Errorf("%d parts of %d bytes are of a file of %d", len(parts), sum, info.Size())
	}
}

func TestWhatIsNoGoProgramHasNoParts(t *testing.T) {
	parts, err := partsOf("main.go")
	if err != nil || len(parts) != 0 {
		t.Errorf("%v, %v", parts, err)
	}
}
