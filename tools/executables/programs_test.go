package main

import (
	"maps"
	"slices"
	"testing"
)

func TestFixture(t *testing.T) {
	reachable, err := load("./testdata/fixture", "")
	if err != nil {
		t.Fatal(err)
	}
	const fixture = "example.org/kubelet-images/programs/testdata/fixture."
	sites := map[string][]string{
		"main": {
			"*-more", "*/joined", "*-suffix", "/bin/by-hand", "/bin/replaced", "chosen", "chosen-2", "constant", "first", "grown", "literal",
			"looked-for", "mkfs.*", "second", "variable",
		},
		"wrapped":    {"function-value", "wrapped"},
		"local.run":  {"interface"},
		"check.find": {"field", "field-2"},
		"decoded":    {"*", "default"},
	}
	found := newIndex(reachable).starts()
	for site, want := range sites {
		got := slices.Sorted(maps.Keys(found[fixture+site]))
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s starts %q, want %q", site, got, want)
		}
		delete(found, fixture+site)
	}
	for site := range found {
		t.Errorf("%s starts %v", site, found[site])
	}
}
