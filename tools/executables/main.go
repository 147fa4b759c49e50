// Programs lists the external programs that a Go program can start: it loads everything that is compiled into the
// program, drops what main cannot reach, and follows the name given to every start of a process back to where it
// is written.
//
//	programs -tags providerless k8s.io/kubernetes/cmd/kubelet
//
// The module in the current directory says which versions are loaded. The result goes to stdout as JSON.
package main

import (
	"encoding/json"
	"flag"
	"log"
	"maps"
	"os"
	"slices"
)

// report is what is printed: call sites as "import/path.Function" or "import/path.Type.Method".
type report struct {
	// Programs has the call sites by program name. A name may hold "*" for a part that is known only at run time.
	Programs map[string][]string `json:"programs"`
	// Dynamic has the call sites that can start a program whose name is not in the source.
	Dynamic []string `json:"dynamic"`
}

func main() {
	log.SetFlags(0)
	tags := flag.String("tags", "", "build `tags`, comma-separated")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: programs [-tags TAGS] PACKAGE")
	}
	reachable, err := load(flag.Arg(0), *tags)
	if err != nil {
		log.Fatal(err)
	}
	found := newIndex(reachable).starts()
	result := report{Programs: map[string][]string{}, Dynamic: []string{}}
	for site, names := range found {
		for name := range names {
			if name == unknown {
				result.Dynamic = append(result.Dynamic, site)
			} else {
				result.Programs[name] = append(result.Programs[name], site)
			}
		}
	}
	slices.Sort(result.Dynamic)
	for sites := range maps.Values(result.Programs) {
		slices.Sort(sites)
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(result); err != nil {
		log.Fatal(err)
	}
}
