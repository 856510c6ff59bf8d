package kudu

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// Defaults of the fields of a Client. Kudu waits up to 30 s for the lock on its
// hooks, and publishing holds that lock for 10 s or more (Kudu:
// WebHooksManager.cs).
const (
	defaultTimeout   = 45 * time.Second
	defaultMaxAnswer = 8 << 20
)

// A Client manages the hooks of a site, which Kudu calls when a deployment or a
// run of a WebJob ends, and reads what the site has kept of these. It follows
// Kudu's source code; comments say where Kudu's wiki differs.
//
// A Client calls only the site. It does not follow redirects, since they lead
// to a sign-in page. Errors contain neither the credentials nor the URL of a
// hook, which often contains a secret.
//
// Set the fields before the first call. The methods are safe for concurrent
// use.
type Client struct {
	// Timeout is the maximum duration of a call. Zero means 45 s. Kudu may take
	// 30 s to answer while it calls hooks.
	Timeout time.Duration
	// MaxAnswer is the maximum size of an answer in bytes. A list contains the
	// last body sent to each hook. Zero means 8 MiB.
	MaxAnswer int64
	// Transport makes the calls. If nil, the Client uses http.DefaultTransport.
	Transport http.RoundTripper

	site        *url.URL
	credentials CredentialsFunc
}

// NewClient returns a Client for the SCM site of an app, such as
// "https://app.scm.azurewebsites.net", or of a slot, such as
// "https://app-slot.scm.azurewebsites.net". If credentials is nil, the Client
// sends none.
//
// NewClient returns [ErrSite] if site is not an absolute http or https URL, or
// if it has user information, a query or a fragment. The error does not contain
// the URL.
func NewClient(site string, credentials CredentialsFunc) (*Client, error) {
	u, err := parseURL(site)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, callError("new client", ErrSite)
	}
	return &Client{site: u, credentials: credentials}, nil
}

// A CredentialsFunc returns the value of the Authorization header. A [Client]
// calls it before each request, possibly concurrently, so that it can renew a
// token that expires. If it fails, the call of the Client returns an error that
// wraps its error.
type CredentialsFunc func(ctx context.Context) (webhook.Secret, error)

// Basic returns a CredentialsFunc for HTTP Basic authentication with the
// deployment credentials of a user, or those in the site's publish profile,
// whose user is "$app". A site may have Basic authentication disabled.
func Basic(user string, password webhook.Secret) CredentialsFunc {
	pair := append([]byte(user+":"), password.Reveal()...)
	return fixedHeader("Basic " + base64.StdEncoding.EncodeToString(pair))
}

// Bearer returns a CredentialsFunc that sends a token of the site's directory.
// Such tokens expire, so a program that runs longer needs its own
// CredentialsFunc.
func Bearer(token webhook.Secret) CredentialsFunc {
	return fixedHeader("Bearer " + string(token.Reveal()))
}

// fixedHeader returns a CredentialsFunc that always returns header.
func fixedHeader(header string) CredentialsFunc {
	value := webhook.NewSecret(header)
	return func(context.Context) (webhook.Secret, error) { return value, nil }
}

// List returns all hooks of the site, including those of other programs.
func (c *Client) List(ctx context.Context) ([]Hook, error) {
	var answers []*hookAnswer
	if err := c.call(ctx, request{method: http.MethodGet, path: hookPath()}, &answers); err != nil {
		return nil, callError("list hooks", err)
	}
	hooks := make([]Hook, len(answers))
	for i, a := range answers {
		var err error
		if hooks[i], err = a.hook(); err != nil {
			return nil, callError("list hooks", err)
		}
	}
	return hooks, nil
}

// Get returns the hook with the given ID, or [ErrHookNotFound] if there is
// none, for which Kudu answers 200 and null (Kudu: WebHooksController.cs), and
// package kuduhooks 404.
func (c *Client) Get(ctx context.Context, id string) (Hook, error) {
	if !isSegment(id) {
		return Hook{}, callError("get hook", ErrHookNotFound)
	}
	var answer *hookAnswer
	if err := c.call(ctx, request{method: http.MethodGet, path: hookPath(id)}, &answer); err != nil {
		return Hook{}, callError("get hook", err)
	}
	if answer == nil {
		return Hook{}, callError("get hook", ErrHookNotFound)
	}
	hook, err := answer.hook()
	return hook, callError("get hook", err)
}

// Subscribe creates a hook with the URL, Event and InsecureSSL of h and returns
// it. If the site has a hook with this URL and event, ignoring case, Subscribe
// returns that hook unchanged; its InsecureSSL may differ. To replace a hook
// that differs from h, use [Client.Ensure].
//
// Subscribe returns [ErrHookConflict] if the URL has a hook for another event.
// It returns [ErrHookInvalid], without a call, if Kudu would answer 500.
func (c *Client) Subscribe(ctx context.Context, h Hook) (Hook, error) {
	if err := h.validate(); err != nil {
		return Hook{}, callError("subscribe", err)
	}
	req := hookRequest{h.URL, h.Event, h.InsecureSSL}
	var answer *hookAnswer
	if err := c.call(ctx, request{method: http.MethodPost, path: hookPath(), body: req}, &answer); err != nil {
		return Hook{}, callError("subscribe", err)
	}
	hook, err := answer.hook()
	return hook, callError("subscribe", err)
}

// Unsubscribe removes the hook with the given ID. It returns no error if there
// is none: Kudu does not report that, and a site with package kuduhooks answers
// 404.
func (c *Client) Unsubscribe(ctx context.Context, id string) error {
	if !isSegment(id) {
		return nil
	}
	err := c.call(ctx, request{method: http.MethodDelete, path: hookPath(id)}, nil)
	if errors.Is(err, ErrHookNotFound) {
		return nil
	}
	return callError("unsubscribe", err)
}

// Publish makes Kudu post content, encoded as JSON, to all hooks for the event,
// and returns when it has called them. A site with package kuduhooks answers
// when it has stored the event. Kudu does not change the names in
// content, while its own events have camelCase names. The error does not depend
// on the answers of the hooks; [Client.List] returns them. The route that
// Kudu's wiki documents does not exist; Publish uses the one in Kudu's source.
func (c *Client) Publish(ctx context.Context, event string, content any) error {
	if !isSegment(event) {
		return callError("publish", ErrHookInvalid)
	}
	req := request{method: http.MethodPost, path: hookPath("publish", event), body: content}
	return callError("publish", c.call(ctx, req, nil))
}
