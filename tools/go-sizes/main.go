// Modules tells where the bytes of a Go program are: `modules FILE` prints a JSON list of parts, which add up to the file.
// Machine code is counted by module, from the function table, which stripping leaves; the rest by section.
// A file that is no Go program has no parts.
package main

import (
	"bytes"
	"debug/elf"
	"debug/gosym"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"runtime/debug"
	"strings"
)

// Part is a share of the file.
type Part struct {
	Name  string `json:"name"`
	Bytes uint64 `json:"bytes"`
}

func main() {
	parts, err := partsOf(os.Args[1])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(parts)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func partsOf(name string) ([]Part, error) {
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	file, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		return []Part{}, nil
	}
	functions, text := file.Section(".gopclntab"), file.Section(".text")
	if functions == nil || text == nil {
		return []Part{}, nil
	}
	table, err := functions.Data()
	if err != nil {
		return nil, err
	}
	// Sizes are differences of addresses, so that where the code begins does not matter.
	symbols, err := gosym.NewTable(nil, gosym.NewLineTable(table, text.Addr))
	if err != nil {
		return nil, err
	}
	return parts(file, uint64(len(content)), codeByModule(symbols, buildInfo(content))), nil
}

func codeByModule(symbols *gosym.Table, info *debug.BuildInfo) map[string]uint64 {
	sizes := map[string]uint64{}
	for _, function := range symbols.Funcs {
		sizes[moduleOf(function.Name, info)] += function.End - function.Entry
	}
	return sizes
}

// Parts adds the sections to what the modules have of .text, of which C and padding are left.
func parts(file *elf.File, size uint64, code map[string]uint64) []Part {
	parts := []Part{}
	var counted, attributed uint64
	for module, bytes := range code {
		parts = append(parts, Part{module, bytes})
		attributed += bytes
	}
	for _, section := range file.Sections {
		bytes := section.FileSize
		switch {
		case section.Type == elf.SHT_NOBITS || section.Type == elf.SHT_NULL || bytes == 0:
			continue
		case section.Name == ".text":
			parts = append(parts, Part{"(other code)", bytes - attributed})
		case section.Name == ".gopclntab":
			parts = append(parts, Part{"(function table)", bytes})
		case section.Name == ".rodata":
			parts = append(parts, Part{"(constants and types)", bytes})
		default:
			continue
		}
		counted += bytes
	}
	return append(parts, Part{"(data and other)", size - counted})
}

// The marks around the list of modules that the go command leaves in every program. debug/buildinfo looks for a
// header instead, which is lost where a linker of C drops what nothing refers to.
const (
	infoStart = "\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6"
	infoEnd   = "\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2"
)

// BuildInfo has no modules where the program does not tell them.
func buildInfo(content []byte) *debug.BuildInfo {
	_, rest, _ := bytes.Cut(content, []byte(infoStart))
	text, _, found := bytes.Cut(rest, []byte(infoEnd))
	if !found {
		return &debug.BuildInfo{}
	}
	info, err := debug.ParseBuildInfo(string(text))
	if err != nil {
		return &debug.BuildInfo{}
	}
	return info
}

// Functions of types without a name of their own, and comparisons, are of no package.
var generated = regexp.MustCompile(`^(type[:.]\.|go:|go\.(shape|struct|\()|struct )`)

// ModuleOf gives the module that a function belongs to, with the longest path that fits; std has no path.
func moduleOf(symbol string, info *debug.BuildInfo) string {
	// Type arguments have packages of their own.
	symbol, _, _ = strings.Cut(symbol, "[")
	if generated.MatchString(symbol) {
		return "(made by the compiler)"
	}
	path := packageOf(symbol)
	if path == "main" {
		path = info.Main.Path
	}
	best := info.Main.Path
	if !within(path, best) {
		best = ""
	}
	for _, module := range info.Deps {
		if within(path, module.Path) && len(module.Path) > len(best) {
			best = module.Path
		}
	}
	first, _, _ := strings.Cut(path, "/")
	switch {
	case best != "":
		return best
	case strings.Contains(first, "."):
		return path
	default:
		return "std"
	}
}

// PackageOf cuts a symbol such as github.com/a/b%2ec.(*T).m down to its package, github.com/a/b.c.
func packageOf(symbol string) string {
	directory := strings.LastIndex(symbol, "/") + 1
	name, _, _ := strings.Cut(symbol[directory:], ".")
	if plain, err := url.PathUnescape(name); err == nil {
		name = plain
	}
	return symbol[:directory] + name
}

func within(path, module string) bool {
	return module != "" && (path == module || strings.HasPrefix(path, module+"/"))
}
