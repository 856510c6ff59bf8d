package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// connectTimeout bounds a connection, answerTimeout the time until the header of an
	// answer is there, and callTimeout a whole call but that of a body or of a live list.
	connectTimeout = 10 * time.Second
	answerTimeout  = 20 * time.Second
	callTimeout    = 30 * time.Second
	// maxHeader bounds the header of an answer, maxJSON a page or a delivery, and maxFault
	// what is read of an answer that is an error.
	maxHeader = 64 << 10
	maxJSON   = 8 << 20
	maxFault  = 16 << 10
)

// A Client calls the API of one inspector. It is safe for concurrent use.
type Client struct {
	base     url.URL
	user     string
	password webhook.Secret
	http     *http.Client
}

// New returns a Client of the inspector that is mounted at base, such as
// https://service.example.com/debug/hooks/. If user is empty, no password is sent. The error
// wraps [ErrURL] and does not contain base, which may have a password that does not belong
// there.
func New(base, user string, password webhook.Secret) (*Client, error) {
	u, err := url.Parse(base)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return nil, fmt.Errorf("%w: want an http or https URL with a host, such as https://service.example.com/debug/hooks/", ErrURL)
	case u.User != nil:
		return nil, fmt.Errorf("%w: it has a user, which belongs elsewhere", ErrURL)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, fmt.Errorf("%w: it has a query or a fragment; it must be the place where the inspector is mounted", ErrURL)
	case strings.Contains(user, ":"):
		return nil, errors.New("service: a user has no colon")
	}
	if !strings.HasSuffix(u.Path, "/") {
		u = u.JoinPath("/")
	}
	transport := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: connectTimeout}).DialContext,
		TLSHandshakeTimeout:    connectTimeout,
		ResponseHeaderTimeout:  answerTimeout,
		MaxResponseHeaderBytes: maxHeader,
		MaxIdleConns:           4,
		IdleConnTimeout:        time.Minute,
		DisableCompression:     true, // a limit in bytes is then one of what arrives
		ForceAttemptHTTP2:      true,
	}
	noRedirect := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{*u, user, password, &http.Client{Transport: transport, CheckRedirect: noRedirect}}, nil
}

// IsReadable reports whether calls of an inspector at base can be read by others: they use http,
// and leave this machine.
func IsReadable(base string) bool {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" {
		return false
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return (err != nil || !addr.Unmap().IsLoopback()) && !strings.EqualFold(u.Hostname(), "localhost")
}

// String returns the URL of the inspector, without a password.
func (c *Client) String() string { return c.base.String() }

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// call makes a request of the API and returns an answer with status 200. The caller closes
// its body.
func (c *Client) call(ctx context.Context, method, page string, query url.Values, body io.Reader, kind string) (*http.Response, error) {
	u := c.base.JoinPath(page)
	u.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, fmt.Errorf("%w: it cannot be called", ErrURL)
	}
	r.Header.Set("User-Agent", "hookhouse")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.user != "" {
		r.SetBasicAuth(c.user, string(c.password.Reveal()))
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, unreachable(err)
	}
	if err := c.faultOf(resp, page, kind); err != nil {
		_ = resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

// unreachable returns the error of a call without an answer, or with half of one.
func unreachable(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // the outer one repeats the URL
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// bytesOf calls the API and returns an answer of at most maxJSON bytes.
func (c *Client) bytesOf(ctx context.Context, method, page string, query url.Values, body io.Reader) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	resp, err := c.call(ctx, method, page, query, body, kindJSON)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxJSON+1))
	switch {
	case err != nil:
		return nil, unreachable(err)
	case len(text) > maxJSON:
		return nil, fmt.Errorf("%w: the answer to %s has more than %d bytes", ErrNotInspector, page, maxJSON)
	}
	return text, nil
}
