// Push puts images into a registry, with every blob and manifest as it is:
// `push image REPOSITORY@DIGEST LAYOUT` the index of an image in an OCI layout, by its digest, without what is there already;
// `push tags REPOSITORY:TAG@DIGEST...` all of the tags or none; prints as JSON what each of them named before.
// Before the command --plain-http allows HTTP without TLS to other machines, and --patience says how long the registry may
// take to read on, or to answer.
// REGISTRY_USERNAME and REGISTRY_PASSWORD in the environment come before Docker's configuration.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// registry is the one that all images of a run go to.
type registry struct {
	names  []name.Option
	pusher *remote.Pusher
	puller *remote.Puller
}

func main() {
	plain := flag.Bool("plain-http", false, "")
	// It may have to check a big blob first.
	patience := flag.Duration("patience", 2*time.Minute, "")
	flag.Parse()
	to, err := connect(*plain, *patience)
	if err == nil {
		err = to.run(context.Background(), flag.Args())
	}
	if errors.Is(err, http.ErrSchemeMismatch) {
		err = fmt.Errorf("%w: a registry without TLS on another machine needs --plain-http", err)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func connect(plain bool, patience time.Duration) (*registry, error) {
	options := remoteOptions(plain, patience)
	pusher, err := remote.NewPusher(options...)
	if err != nil {
		return nil, err
	}
	puller, err := remote.NewPuller(options...)
	if err != nil {
		return nil, err
	}
	names := []name.Option{name.StrictValidation}
	if plain {
		names = append(names, name.Insecure)
	}
	return &registry{names: names, pusher: pusher, puller: puller}, nil
}

func (to *registry) run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 3 && args[0] == "image":
		return to.pushImage(ctx, args[1], args[2])
	case len(args) > 1 && args[0] == "tags":
		return to.moveTags(ctx, args[1:])
	}
	return errors.New("usage: push [--plain-http] image REPOSITORY@DIGEST LAYOUT | tags REPOSITORY:TAG@DIGEST...")
}

// pushImage uploads layers and configurations first, then the manifests, and the index of all platforms last.
func (to *registry) pushImage(ctx context.Context, target, folder string) error {
	reference, err := name.NewDigest(target, to.names...)
	if err != nil {
		return err
	}
	digest, err := v1.NewHash(reference.DigestStr())
	if err != nil {
		return err
	}
	root, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		return err
	}
	index, err := root.ImageIndex(digest)
	if err != nil {
		return err
	}
	return to.pusher.Push(ctx, reference, index)
}

// splitTag splits REPOSITORY:TAG@DIGEST, which the library reads as a digest without a tag.
func (to *registry) splitTag(target string) (name.Tag, name.Digest, error) {
	tagged, digest, _ := strings.Cut(target, "@")
	tag, err := name.NewTag(tagged, to.names...)
	if err != nil {
		return name.Tag{}, name.Digest{}, err
	}
	reference, err := name.NewDigest(tag.Context().Name()+"@"+digest, to.names...)
	return tag, reference, err
}
