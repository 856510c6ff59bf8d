package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/internal/api"
	"github.com/hookhouse/hookhouse/webhook"
)

// The address and the version of GitHub's REST API
// (https://docs.github.com/en/rest/about-the-rest-api/api-versions).
const (
	defaultAPI = "https://api.github.com"
	apiVersion = "2022-11-28"
)

// Defaults of the fields of a Client. A delivery has a body of up to 25 MB, and the API
// answers with the body and the receiver's answer to it.
const (
	defaultTimeout   = 30 * time.Second
	defaultMaxAnswer = 64 << 20
)

// maxRedirects is how many redirects of one call are followed.
const maxRedirects = 3

// A Client reads the deliveries of a webhook from the API of GitHub or GitHub Enterprise
// Server and asks for redeliveries, for a [CatchUp]. Use one Client for all hooks that one
// token or App reads, since the rate limits are those of the token.
//
// A Client keeps to what GitHub asks of programs: it makes one request at a time, waits a
// second between two that change something, and after an answer that reports a rate limit
// makes none until the time that the answer names
// (https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api).
// It follows redirects, which the API sends for a renamed repository, only to the host
// that it was made for, and sends the credentials to no other. Its errors contain neither
// the credentials nor a URL.
//
// Set the fields before the first use. A Client is safe for concurrent use.
type Client struct {
	// Timeout is the maximum duration of a request, without the wait for its turn. Zero
	// means 30 s.
	Timeout time.Duration
	// MaxAnswer is the maximum size of an answer in bytes. Zero means 64 MiB.
	MaxAnswer int64
	// Transport makes the calls. If nil, the Client uses http.DefaultTransport.
	Transport http.RoundTripper

	base        *url.URL
	credentials CredentialsFunc
	turn        chan struct{} // has an element while a request is under way
	limits      rateLimits
}

// A CredentialsFunc returns the value of the Authorization header. A [Client] calls it
// before each request, so that it can return a token that was renewed. If it fails, the
// call fails with its error. [Token] and [AppCredentials] return one.
type CredentialsFunc func(ctx context.Context) (webhook.Secret, error)

// Token returns a CredentialsFunc for a personal access token or another token that does
// not change. For one that is renewed, such as the token of an App's installation, write a
// CredentialsFunc that returns "Bearer " and the token.
func Token(token webhook.Secret) CredentialsFunc {
	value := webhook.NewSecret("Bearer " + string(token.Reveal()))
	return func(context.Context) (webhook.Secret, error) { return value, nil }
}

// NewClient returns a Client. If base is empty, it is that of github.com,
// "https://api.github.com". For GitHub Enterprise Server it is "https://HOST/api/v3"
// (https://docs.github.com/en/enterprise-server@3.14/rest/using-the-rest-api/getting-started-with-the-rest-api).
//
// The error is [ErrBase] if base is not an absolute http or https URL without user
// information, query and fragment; it does not contain the URL. NewClient panics if
// credentials is nil.
func NewClient(base string, credentials CredentialsFunc) (*Client, error) {
	if credentials == nil {
		panic("github: NewClient needs credentials")
	}
	if base == "" {
		base = defaultAPI
	}
	u, err := url.Parse(strings.TrimSuffix(base, "/"))
	if err != nil || !api.IsAbsolute(u) || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("github: new client: %w", ErrBase)
	}
	return &Client{base: u, credentials: credentials, turn: make(chan struct{}, 1)}, nil
}

// A request is one call of the API.
type request struct {
	method string
	path   []string // below the base
	query  url.Values
	etag   string // for If-None-Match; empty: none
}

// A reply is the answer to a request: 2xx, or 304 if the request had an ETag.
type reply struct {
	status int
	header http.Header
	body   []byte
	moved  bool // a redirect was followed
}

// do makes a request when it is its turn, and reads the answer. Any other status than
// 2xx and 304 is a [*StatusError] or a [*RateLimitError].
func (c *Client) do(ctx context.Context, r request) (reply, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return reply{}, ctx.Err()
	}
	if err := c.limits.wait(ctx, r.method); err != nil {
		return reply{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, api.OrDefault(c.Timeout, defaultTimeout))
	defer cancel()
	target := c.base.JoinPath(r.path...)
	target.RawQuery = r.query.Encode()
	var got reply
	for range maxRedirects + 1 {
		resp, err := c.send(ctx, r, target)
		if err != nil {
			return reply{}, err
		}
		location := resp.Header.Get("Location")
		got.status, got.header = resp.StatusCode, resp.Header
		got.body, err = api.ReadAll(ctx, resp.Body, api.OrDefault(c.MaxAnswer, defaultMaxAnswer), ErrTooLarge)
		_ = resp.Body.Close()
		if err != nil {
			return reply{}, err
		}
		if got.status == http.StatusNotModified || !api.IsRedirect(got.status) || location == "" {
			return got, c.limits.check(r.method, got, time.Now())
		}
		got.moved = true
		if target, err = c.redirect(target, location); err != nil {
			return reply{}, err
		}
	}
	return reply{}, fmt.Errorf("%w: more than %d redirects", ErrAnswer, maxRedirects)
}

// send makes one HTTP request.
func (c *Client) send(ctx context.Context, r request, target *url.URL) (*http.Response, error) {
	authorization, err := c.credentials(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errCredentials, err)
	}
	h, err := http.NewRequestWithContext(ctx, r.method, target.String(), nil)
	if err != nil {
		return nil, errors.New("the request cannot be made") // err has the URL
	}
	h.Header.Set("Authorization", string(authorization.Reveal()))
	h.Header.Set("Accept", "application/vnd.github+json")
	h.Header.Set("X-GitHub-Api-Version", apiVersion)
	h.Header.Set("User-Agent", "hookhouse") // GitHub refuses requests without one
	if r.etag != "" {
		h.Header.Set("If-None-Match", r.etag)
	}
	return api.Send(c.Transport, h)
}

// redirect returns the target of a redirect to the host of the Client.
func (c *Client) redirect(from *url.URL, location string) (*url.URL, error) {
	to, err := from.Parse(location)
	if err != nil || to.Scheme != c.base.Scheme || !strings.EqualFold(to.Host, c.base.Host) || to.User != nil {
		return nil, fmt.Errorf("%w: a redirect to another host", ErrAnswer)
	}
	return to, nil
}
