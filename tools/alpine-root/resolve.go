package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"chainguard.dev/apko/pkg/apk/apk"
)

// keyDirectory holds the trusted keys: those of Alpine by architecture, those of the user beside them.
const keyDirectory = "/keys"

// resolve finds the packages of the world and what they depend on in indexes that a trusted key has signed.
func resolve(ctx context.Context, client *http.Client, request Request, arch string) ([]Package, error) {
	keys, err := readKeys(keyDirectory, filepath.Join(keyDirectory, arch))
	if err != nil {
		return nil, err
	}
	var repositories []string
	for _, name := range request.Repositories {
		repositories = append(repositories, strings.Join([]string{mirror(), request.Release, name}, "/"))
	}
	indexes, err := apk.GetRepositoryIndexes(ctx, repositories, keys, arch, apk.WithHTTPClient(client))
	if err != nil {
		return nil, err
	}
	if err := verifyNames(request, arch, indexes); err != nil {
		return nil, err
	}
	found, conflicts, err := apk.NewPkgResolver(ctx, indexes).GetPackagesWithDependencies(ctx, request.World, nil)
	if err != nil {
		return nil, err
	}
	var packages []Package
	for _, p := range found {
		if slices.Contains(conflicts, p.Name) {
			return nil, fmt.Errorf("package %s conflicts with another of %s", p.Name, strings.Join(request.World, ", "))
		}
		// The repository's URI ends in its name and the architecture.
		repository := path.Base(path.Dir(p.Repository().URI))
		packages = append(packages, Package{p.Name, p.Version, repository, p.ChecksumString(), ""})
	}
	return packages, nil
}

var constraint = regexp.MustCompile(`[@=<>~].*`)

// verifyNames says which wanted package there is not, clearer than the resolver would.
func verifyNames(request Request, arch string, indexes []apk.NamedIndex) error {
	known := map[string]bool{}
	for _, index := range indexes {
		for _, p := range index.Packages() {
			known[p.Name] = true
			for _, name := range p.Provides {
				known[constraint.ReplaceAllString(name, "")] = true
			}
		}
	}
	for _, name := range request.World {
		if !known[constraint.ReplaceAllString(name, "")] {
			return fmt.Errorf("no package %q in %s of Alpine %s for %s", name,
				strings.Join(request.Repositories, " and "), request.Release, arch)
		}
	}
	return nil
}

func readKeys(directories ...string) (map[string][]byte, error) {
	keys := map[string][]byte{}
	for _, directory := range directories {
		entries, err := os.ReadDir(directory)
		if err != nil && !os.IsNotExist(err) {
			return nil, err
		}
		for _, entry := range entries {
			if entry.IsDir() {
				continue
			}
			key, err := os.ReadFile(filepath.Join(directory, entry.Name()))
			if err != nil {
				return nil, err
			}
			keys[entry.Name()] = key
		}
	}
	return keys, nil
}
