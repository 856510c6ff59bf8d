package kudu

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// The bounds of a Client that sets none. Kudu waits up to 30 s for the lock on
// its hooks, and a publish holds it for 10 s and more (Kudu: WebHooksManager.cs).
const (
	defaultTimeout   = 45 * time.Second
	defaultMaxAnswer = 8 << 20
)

// A Client manages the hooks of one site: those that Kudu calls when a
// deployment or a WebJob has ended. It knows of them what Kudu's source says,
// which differs from its wiki where a comment tells so.
//
// Calls go to the site alone: redirects are not followed, since where they lead
// is a page to sign in. Errors hold neither credentials nor the URL of a hook,
// which often has a secret in it.
//
// Set the fields before use. A Client is safe for concurrent use.
type Client struct {
	// Timeout bounds a whole call. Zero means 45 s; Kudu itself may wait for 30 s
	// while it calls hooks.
	Timeout time.Duration
	// MaxAnswer bounds an answer in bytes. Each hook is listed with the last body
	// it was sent. Zero means 8 MiB.
	MaxAnswer int64
	// Transport makes the calls. Zero means http.DefaultTransport.
	Transport http.RoundTripper

	hooks       *url.URL
	credentials CredentialsFunc
}

// NewClient returns a Client for the SCM site of an app, such as
// "https://app.scm.azurewebsites.net" or that of a slot,
// "https://app-slot.scm.azurewebsites.net". Nil credentials send none.
//
// The error is [ErrSite] if site is not an absolute http or https URL, or has
// user information, a query or a fragment. It does not repeat the URL.
func NewClient(site string, credentials CredentialsFunc) (*Client, error) {
	u, err := parseURL(site)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, callError("new client", ErrSite)
	}
	// Without "api" the routes exist too, but are marked as deprecated (Kudu:
	// NinjectServices.cs).
	return &Client{hooks: u.JoinPath("api", "hooks"), credentials: credentials}, nil
}

// A CredentialsFunc returns the value of the Authorization header, for each call
// anew, so that a token that expires can be renewed. It may be called
// concurrently. Its error is that of the call.
type CredentialsFunc func(ctx context.Context) (webhook.Secret, error)

// Basic sends the deployment credentials of a user, or those that the site's
// publish profile names, user "$app". A site may have Basic switched off.
func Basic(user string, password webhook.Secret) CredentialsFunc {
	pair := append([]byte(user+":"), password.Reveal()...)
	return always("Basic " + base64.StdEncoding.EncodeToString(pair))
}

// Bearer sends a token of the site's directory. Such tokens expire: a program
// that runs for longer has a CredentialsFunc of its own.
func Bearer(token webhook.Secret) CredentialsFunc {
	return always("Bearer " + string(token.Reveal()))
}

func always(header string) CredentialsFunc {
	value := webhook.NewSecret(header)
	return func(context.Context) (webhook.Secret, error) { return value, nil }
}

// List returns all hooks of the site, those of others included.
func (c *Client) List(ctx context.Context) ([]Hook, error) {
	var answers []*hookAnswer
	if err := c.call(ctx, request{method: http.MethodGet}, &answers); err != nil {
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

// Get returns one hook, and [ErrHookNotFound] where there is none: Kudu answers
// 200 and null then (Kudu: WebHooksController.cs).
func (c *Client) Get(ctx context.Context, id string) (Hook, error) {
	if !isSegment(id) {
		return Hook{}, callError("get hook", ErrHookNotFound)
	}
	var answer *hookAnswer
	if err := c.call(ctx, request{method: http.MethodGet, path: []string{url.PathEscape(id)}}, &answer); err != nil {
		return Hook{}, callError("get hook", err)
	}
	if answer == nil {
		return Hook{}, callError("get hook", ErrHookNotFound)
	}
	hook, err := answer.hook()
	return hook, callError("get hook", err)
}

// Subscribe asks for a hook with the URL, Event and InsecureSSL of h and returns
// the one that there is then. Where there was one for this URL and event it is
// that, unchanged: its InsecureSSL may differ. Kudu compares both without regard
// to case. [ErrHookConflict]: the URL has a hook for another event.
// [ErrHookInvalid]: Kudu would answer 500, and is not asked.
//
// To have a hook as it is asked for, whatever there was, use [Client.Ensure].
func (c *Client) Subscribe(ctx context.Context, h Hook) (Hook, error) {
	if err := h.validate(); err != nil {
		return Hook{}, callError("subscribe", err)
	}
	ask := hookRequest{h.URL, h.Event, h.InsecureSSL}
	var answer *hookAnswer
	if err := c.call(ctx, request{method: http.MethodPost, body: ask}, &answer); err != nil {
		return Hook{}, callError("subscribe", err)
	}
	hook, err := answer.hook()
	return hook, callError("subscribe", err)
}

// Unsubscribe removes a hook. That there was none is no error, as Kudu does not
// tell.
func (c *Client) Unsubscribe(ctx context.Context, id string) error {
	if !isSegment(id) {
		return nil
	}
	err := c.call(ctx, request{method: http.MethodDelete, path: []string{url.PathEscape(id)}}, nil)
	return callError("unsubscribe", err)
}

// Publish has Kudu post content, encoded as JSON, to all hooks for the event,
// and returns when it has. Names stay as they are, where Kudu's own events are
// in camelCase. What the hooks answered is in [Client.List] and no part of the
// error. The route is that of Kudu's source; the one its wiki names does not
// exist.
func (c *Client) Publish(ctx context.Context, event string, content any) error {
	if !isSegment(event) {
		return callError("publish", ErrHookInvalid)
	}
	ask := request{method: http.MethodPost, path: []string{"publish", url.PathEscape(event)}, body: content}
	return callError("publish", c.call(ctx, ask, nil))
}
