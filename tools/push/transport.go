package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func remoteOptions(plain bool, patience time.Duration) []remote.Option {
	inner := remote.DefaultTransport.(*http.Transport).Clone()
	inner.ResponseHeaderTimeout = patience
	dial := inner.DialContext
	inner.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		connection, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return impatient{connection, patience}, nil
	}
	return []remote.Option{
		remote.WithTransport(guarded{inner, plain}),
		remote.WithAuthFromKeychain(authn.NewMultiKeychain(environment{}, authn.DefaultKeychain)),
		remote.WithRetryBackoff(remote.Backoff{Duration: time.Second, Factor: 2, Jitter: 0.5, Steps: 5}),
		remote.WithRetryPredicate(isPassing),
		remote.WithUserAgent("kubelet-images"),
	}
}

// impatient gives up a connection on which nothing can be sent any more.
type impatient struct {
	net.Conn
	patience time.Duration
}

func (c impatient) Write(data []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.patience)); err != nil {
		return 0, err
	}
	return c.Conn.Write(data)
}

// guarded refuses to send anything, credentials above all, over HTTP without TLS to another machine.
type guarded struct {
	inner http.RoundTripper
	plain bool
}

func (t guarded) RoundTrip(request *http.Request) (*http.Response, error) {
	host := request.URL.Hostname()
	if request.URL.Scheme != "https" && !t.plain && host != "localhost" && !net.ParseIP(host).IsLoopback() {
		return nil, fmt.Errorf("%s is not on this machine: HTTP without TLS needs --plain-http", host)
	}
	return t.inner.RoundTrip(request)
}

// environment takes credentials from the environment, for every registry: a run has only one.
type environment struct{}

func (environment) Resolve(authn.Resource) (authn.Authenticator, error) {
	user, password := os.Getenv("REGISTRY_USERNAME"), os.Getenv("REGISTRY_PASSWORD")
	if user == "" {
		return authn.Anonymous, nil
	}
	return &authn.Basic{Username: user, Password: password}, nil
}

// isPassing tells errors that may be gone after a while. The library adds answers such as 429 and 5xx.
func isPassing(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	var temporary interface{ Temporary() bool }
	if errors.As(err, &temporary) && temporary.Temporary() {
		return true
	}
	for _, passing := range []error{
		io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE,
	} {
		if errors.Is(err, passing) {
			return true
		}
	}
	return false
}
