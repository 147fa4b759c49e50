package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// move is a tag, the manifest it shall name, and the one it named before, if there was one.
type move struct {
	tag            name.Tag
	target, before *remote.Descriptor
}

func (m move) beforeDigest() string {
	if m.before == nil {
		return ""
	}
	return m.before.Digest.String()
}

// moved is what is printed of a tag.
type moved struct {
	Tag string `json:"tag"`
	// Digest that the tag named before; left out for a new tag.
	Before string `json:"before,omitempty"`
}

// moveTags moves all tags or none: it looks first whether everything they will name is there, and puts them back when
// one cannot be moved.
func (to *registry) moveTags(ctx context.Context, targets []string) error {
	moves := make([]move, 0, len(targets))
	for _, target := range targets {
		next, err := to.planMove(ctx, target)
		if err != nil {
			return err
		}
		moves = append(moves, next)
	}
	// An interrupt now would leave some tags moved and some not.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	report := make([]moved, 0, len(moves))
	for i, next := range moves {
		report = append(report, moved{Tag: next.tag.String(), Before: next.beforeDigest()})
		if next.beforeDigest() == next.target.Digest.String() {
			continue
		}
		if err := to.pusher.Put(ctx, next.tag, next.target); err != nil {
			return fmt.Errorf("tag %s: %w; %s", next.tag, err, to.putBack(ctx, moves[:i+1]))
		}
	}
	return json.NewEncoder(os.Stdout).Encode(report)
}

func (to *registry) planMove(ctx context.Context, target string) (move, error) {
	tag, digest, err := to.splitTag(target)
	if err != nil {
		return move{}, err
	}
	found, err := to.puller.Get(ctx, digest)
	if isMissing(err) {
		return move{}, fmt.Errorf("%s is not in the registry: push it first; no tag was moved", digest)
	}
	if err != nil {
		return move{}, err
	}
	if err := to.verifyPlatforms(ctx, digest, found); err != nil {
		return move{}, err
	}
	before, err := to.puller.Get(ctx, tag)
	if err != nil && !isMissing(err) {
		return move{}, err
	}
	return move{tag: tag, target: found, before: before}, nil
}

// verifyPlatforms looks for the manifest of every platform: some registries accept an index without them.
func (to *registry) verifyPlatforms(ctx context.Context, digest name.Digest, found *remote.Descriptor) error {
	index, err := found.ImageIndex()
	if err != nil {
		return err
	}
	entries, err := index.IndexManifest()
	if err != nil {
		return err
	}
	for _, entry := range entries.Manifests {
		if _, err := to.puller.Head(ctx, digest.Context().Digest(entry.Digest.String())); err != nil {
			return fmt.Errorf("%s of %s: %w; no tag was moved", entry.Platform, digest, err)
		}
	}
	return nil
}

// putBack undoes moves, the last of which may or may not have come to pass, and says what became of them.
func (to *registry) putBack(ctx context.Context, moves []move) string {
	failed := ""
	for _, last := range moves {
		if err := to.undo(ctx, last); err != nil {
			failed += fmt.Sprintf("; tag %s could not be put back to %q: %v", last.tag, last.beforeDigest(), err)
		}
	}
	if failed == "" {
		return "every tag is as it was"
	}
	return "not every tag is as it was" + failed
}

func (to *registry) undo(ctx context.Context, last move) error {
	now, err := to.puller.Head(ctx, last.tag)
	if err != nil && !isMissing(err) {
		return err
	}
	current := ""
	if err == nil {
		current = now.Digest.String()
	}
	switch {
	case current == last.beforeDigest():
		return nil
	case current != last.target.Digest.String():
		// Whoever moved it meanwhile meant it.
		return fmt.Errorf("somebody else has moved it to %q meanwhile", current)
	case last.before != nil:
		return to.pusher.Put(ctx, last.tag, last.before)
	}
	return to.pusher.Delete(ctx, last.tag)
}

func isMissing(err error) bool {
	var answer *transport.Error
	return errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound
}
