package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"chainguard.dev/apko/pkg/apk/apk"
	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/sync/errgroup"
)

// manifest is the file beside the packages of an architecture that lists them in the order of installation.
const manifest = "packages.json"

// fetch writes OUT/ARCH/*.apk and OUT/ARCH/packages.json for each architecture, and OUT/packages.json for all.
func fetch(ctx context.Context, request Request, out string) error {
	client := httpClient()
	all := map[string][]Package{}
	for arch, alpine := range request.Arches {
		packages := request.Locked[arch]
		if request.Locked == nil {
			var err error
			if packages, err = resolve(ctx, client, request, alpine); err != nil {
				return err
			}
		}
		folder := filepath.Join(out, arch)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		if err := download(ctx, client, request, alpine, packages, folder); err != nil {
			return err
		}
		if err := writeJSON(filepath.Join(folder, manifest), packages); err != nil {
			return err
		}
		all[arch] = packages
	}
	return writeJSON(filepath.Join(out, manifest), all)
}

// httpClient asks again after a failure of the network or of the server.
func httpClient() *http.Client {
	client := retryablehttp.NewClient()
	client.Logger = nil
	client.HTTPClient.Timeout = 5 * time.Minute
	return client.StandardClient()
}

// download fetches and verifies the packages, and notes the checksum of each file.
func download(ctx context.Context, client *http.Client, request Request, arch string, packages []Package, folder string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i := range packages {
		group.Go(func() error {
			p := &packages[i]
			url := strings.Join([]string{mirror(), request.Release, p.Repository, arch, p.File()}, "/")
			content, err := get(ctx, client, url)
			if err != nil {
				return err
			}
			sum := sha256.Sum256(content)
			if p.SHA256 == "" {
				p.SHA256 = hex.EncodeToString(sum[:])
			} else if p.SHA256 != hex.EncodeToString(sum[:]) {
				return fmt.Errorf("%s is not the file that the lock names: its SHA-256 differs", url)
			}
			if err := verify(ctx, content, p.Checksum); err != nil {
				return fmt.Errorf("%s: %w", url, err)
			}
			return os.WriteFile(filepath.Join(folder, p.File()), content, 0o644)
		})
	}
	return group.Wait()
}

func mirror() string { return os.Getenv("ALPINE_MIRROR") }

func get(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: the mirror answers %s", url, response.Status)
	}
	return io.ReadAll(response.Body)
}

// verify follows the chain of trust below the signed index: its checksum is that of the control part, which in turn
// holds the checksum of the data part.
func verify(ctx context.Context, content []byte, checksum string) error {
	parts, err := apk.ResolveApk(ctx, bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("not a package: %w", err)
	}
	if "Q1"+base64.StdEncoding.EncodeToString(parts.ControlHash) != checksum {
		return fmt.Errorf("the checksum of the package is not the one in the signed index")
	}
	info, _, err := apk.ParsePackageInfo(bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("not a package: %w", err)
	}
	if info.DataHash != hex.EncodeToString(parts.DataHash) {
		return fmt.Errorf("the checksum of the package's data is not the one in its control part")
	}
	return nil
}
