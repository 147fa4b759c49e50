// Command alpine-root makes the root of an Alpine image with apko's packages, for any architecture, without running
// anything of it.
//
//	alpine-root fetch REQUEST OUT         resolve, download and verify packages
//	alpine-root install PACKAGES ROOT     unpack them into a root
//
// ALPINE_MIRROR is the URL above the releases, https://dl-cdn.alpinelinux.org/alpine: not in the request, because it may have a password
// in it.
//
// It is not apko's own command because that fetches signing keys from the network for Alpine's repositories, and
// compares a package neither with the checksum in the signed index nor with the one in its own control part.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// Request is what fetch is asked for.
type Request struct {
	Release      string   `json:"release"`
	Repositories []string `json:"repositories"`
	// World names the packages that are wanted, as in /etc/apk/world.
	World []string `json:"world"`
	// Arches maps the name of an architecture in images to Alpine's.
	Arches map[string]string `json:"arches"`
	// Locked packages by architecture; nothing is resolved where it is given.
	Locked map[string][]Package `json:"locked,omitempty"`
}

// Package is one package of one architecture, in the order of installation.
type Package struct {
	Name       string `json:"name"`
	Version    string `json:"version"`
	Repository string `json:"repository"`
	// Checksum is the one in the signed index, SHA-1 of the control part, which has the SHA-256 of the data part.
	Checksum string `json:"checksum"`
	// SHA256 of the whole file, which is stronger and does not need the index.
	SHA256 string `json:"sha256"`
}

// File is the name of the package on a mirror.
func (p Package) File() string { return fmt.Sprintf("%s-%s.apk", p.Name, p.Version) }

func main() {
	syscall.Umask(0)
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, strings.ReplaceAll(err.Error(), "\n", " "))
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 3 && args[0] == "fetch":
		var request Request
		if err := readJSON(args[1], &request); err != nil {
			return err
		}
		return fetch(ctx, request, args[2])
	case len(args) == 3 && args[0] == "install":
		return install(ctx, args[1], args[2])
	}
	return fmt.Errorf("usage: alpine-root fetch REQUEST OUT | alpine-root install PACKAGES ROOT")
}

func readJSON(file string, value any) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return json.Unmarshal(content, value)
}

func writeJSON(file string, value any) error {
	content, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(content, '\n'), 0o644)
}
