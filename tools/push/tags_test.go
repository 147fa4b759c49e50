package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	memory "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// place is a registry on loopback that may refuse what it is asked.
type place struct {
	t      *testing.T
	name   string
	to     *registry
	refuse func(*http.Request) bool
}

func newPlace(t *testing.T) *place {
	p := &place{t: t, refuse: func(*http.Request) bool { return false }}
	inner := memory.New()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.refuse(r) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p.name = strings.TrimPrefix(server.URL, "http://") + "/nodes/kubelet"
	to, err := connect(false, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	p.to = to
	return p
}

// push uploads a new index without a tag.
func (p *place) push() v1.Hash {
	index, err := random.Index(64, 1, 2)
	if err != nil {
		p.t.Fatal(err)
	}
	digest, err := index.Digest()
	if err != nil {
		p.t.Fatal(err)
	}
	reference, err := name.NewDigest(p.name + "@" + digest.String())
	if err == nil {
		err = remote.WriteIndex(reference, index)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return digest
}

// set moves a tag as somebody else would.
func (p *place) set(tag string, digest v1.Hash) {
	descriptor, err := remote.Get(p.reference("@" + digest.String()))
	if err == nil {
		err = remote.Tag(p.reference(":" + tag).(name.Tag), descriptor)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) reference(end string) name.Reference {
	reference, err := name.ParseReference(p.name + end)
	if err != nil {
		p.t.Fatal(err)
	}
	return reference
}

// get gives the digest that a tag names, or nothing.
func (p *place) get(tag string) string {
	descriptor, err := remote.Head(p.reference(":" + tag))
	if isMissing(err) {
		return ""
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return descriptor.Digest.String()
}

func (p *place) target(tag string, digest v1.Hash) string {
	return p.name + ":" + tag + "@" + digest.String()
}

func (p *place) want(tag, digest string) {
	p.t.Helper()
	if got := p.get(tag); got != digest {
		p.t.Errorf("%s names %q, want %q", tag, got, digest)
	}
}

// putting tells whether a request moves a tag.
func putting(tag string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/manifests/"+tag)
	}
}

func TestTagsMove(t *testing.T) {
	p := newPlace(t)
	before, ours := p.push(), p.push()
	p.set("a", before)
	if err := p.to.moveTags(context.Background(), []string{p.target("a", ours), p.target("b", ours)}); err != nil {
		t.Fatal(err)
	}
	p.want("a", ours.String())
	p.want("b", ours.String())
}

func TestNoTagMovesToWhatIsNotThere(t *testing.T) {
	p := newPlace(t)
	ours := p.push()
	missing := v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("0", 64)}
	err := p.to.moveTags(context.Background(), []string{p.target("a", ours), p.target("b", missing)})
	if err == nil || !strings.Contains(err.Error(), "push it first; no tag was moved") {
		t.Errorf("moved to nothing: %v", err)
	}
	p.want("a", "")
}

func TestTagsArePutBack(t *testing.T) {
	p := newPlace(t)
	before, ours := p.push(), p.push()
	p.set("a", before)
	p.refuse = putting("c")
	targets := []string{p.target("a", ours), p.target("b", ours), p.target("c", ours)}
	err := p.to.moveTags(context.Background(), targets)
	if err == nil || !strings.Contains(err.Error(), "every tag is as it was") || strings.Contains(err.Error(), "not every") {
		t.Errorf("unexpected end: %v", err)
	}
	p.want("a", before.String())
	p.want("b", "")
	p.want("c", "")
}

// What another release has moved meanwhile is not ours to put back.
func TestTagsOfOthersStay(t *testing.T) {
	p := newPlace(t)
	before, ours, theirs := p.push(), p.push(), p.push()
	p.set("a", before)
	refuse := putting("b")
	p.refuse = func(r *http.Request) bool {
		if !refuse(r) {
			return false
		}
		p.refuse = func(*http.Request) bool { return false }
		p.set("a", theirs)
		p.refuse = refuse
		return true
	}
	err := p.to.moveTags(context.Background(), []string{p.target("a", ours), p.target("b", ours)})
	if err == nil || !strings.Contains(err.Error(), "not every tag is as it was") || !strings.Contains(err.Error(), "somebody else has moved it") {
		t.Errorf("unexpected end: %v", err)
	}
	p.want("a", theirs.String())
}
