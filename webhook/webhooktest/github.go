package webhooktest

import (
	"context"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // GitHub still sends X-Hub-Signature
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// maxEvent is the largest event that GitHub sends, 25 MB (github/docs:
// payload_cap.md).
const maxEvent = 25 << 20

// GitHub sends events as GitHub does: it makes one attempt of up to 10 seconds and
// no retry, 2xx is success, and an event over 25 MB is not sent (github/docs: best
// practices, handling failed deliveries).
//
// A delivery with a secret has eleven headers besides Host: X-GitHub-Event,
// X-GitHub-Delivery, X-GitHub-Hook-ID, X-GitHub-Hook-Installation-Target-Type,
// X-GitHub-Hook-Installation-Target-ID, X-Hub-Signature, X-Hub-Signature-256,
// User-Agent, Accept, Content-Type and Content-Length. One without a secret does
// not have the two signatures. GitHub does not document what it does with a
// redirect. Here a redirect is not followed and is a failure.
//
// The zero value sends JSON without a signature. GitHub is safe for concurrent use.
type GitHub struct {
	// Secret signs the body. If zero, the delivery has no signature.
	Secret webhook.Secret
	// HookID is the id of the hook. Zero means 1.
	HookID int64
	// TargetType is where the hook is installed: "repository", "organization" or
	// "integration". If empty, it is "repository".
	TargetType string
	// TargetID is the id of the target. Zero means 1.
	TargetID int64
	// Form sends the body as the form field "payload" instead of as
	// application/json. GitHub does so for hooks that were created by its API
	// without a content type.
	Form bool
	// Timeout is the time limit of the attempt. Zero means 10 s. GitHub Enterprise
	// Server has 30 s.
	Timeout time.Duration
	// Transport makes the calls. If nil, each delivery uses a new http.Transport.
	Transport http.RoundTripper
}

// Deliver sends an event, for example "push", with a new GUID. The body is JSON.
func (g *GitHub) Deliver(ctx context.Context, target, event string, body []byte) Result {
	return g.Redeliver(ctx, newGUID(), target, event, body)
}

// Redeliver sends an event again with the GUID of an earlier [Result], as the
// button Redeliver in GitHub's list of deliveries does.
func (g *GitHub) Redeliver(ctx context.Context, guid, target, event string, body []byte) Result {
	result := Result{GUID: guid}
	c, err := g.call(guid, target, event, body)
	if err != nil {
		result.Err = err
		return result
	}
	timeout := g.Timeout
	if timeout <= 0 {
		timeout = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	rt, closeIdle := transportOf(g.Transport)
	defer closeIdle()
	a := attempt(ctx, c, 0, once(rt))
	result.Attempts = []Attempt{a}
	result.Delivered = a.ok()
	result.Gone = a.Status == http.StatusGone
	return result
}

// Request returns the request that Redeliver makes, or Deliver if guid is empty, for an
// http.Client of the caller's. It ignores Timeout and Transport. The error wraps
// ErrTooLarge or ErrTarget.
func (g *GitHub) Request(ctx context.Context, guid, target, event string, body []byte) (*http.Request, error) {
	if guid == "" {
		guid = newGUID()
	}
	c, err := g.call(guid, target, event, body)
	if err != nil {
		return nil, err
	}
	return c.request(ctx)
}

// call returns the signed call of an event.
func (g *GitHub) call(guid, target, event string, body []byte) (call, error) {
	if len(body) > maxEvent {
		return call{}, fmt.Errorf("%w: %d bytes, and GitHub sends %d at most", ErrTooLarge, len(body), maxEvent)
	}
	header := http.Header{
		"X-Github-Event":                         {event},
		"X-Github-Delivery":                      {guid},
		"X-Github-Hook-Id":                       {strconv.FormatInt(orOne(g.HookID), 10)},
		"X-Github-Hook-Installation-Target-Type": {g.targetType()},
		"X-Github-Hook-Installation-Target-Id":   {strconv.FormatInt(orOne(g.TargetID), 10)},
		"User-Agent":                             {"GitHub-Hookshot/0000000"},
		"Accept":                                 {"*/*"},
		"Content-Type":                           {"application/json"},
	}
	if g.Form {
		header.Set("Content-Type", "application/x-www-form-urlencoded")
		body = []byte("payload=" + url.QueryEscape(string(body)))
	}
	if !g.Secret.IsZero() {
		keys := webhook.Keys(g.Secret)
		sign(header, body, &webhook.HMAC{Header: "X-Hub-Signature", Prefix: "sha1=", Hash: sha1.New, Keys: keys})
		sign(header, body, &webhook.HMAC{Header: "X-Hub-Signature-256", Prefix: "sha256=", Keys: keys})
	}
	return newCall(target, header, body)
}

func (g *GitHub) targetType() string {
	if g.TargetType == "" {
		return "repository"
	}
	return g.TargetType
}

// orOne returns n, or 1 if n is zero.
func orOne(n int64) int64 {
	if n == 0 {
		return 1
	}
	return n
}

// sign sets the signature of body in header. The secret must not be zero; then
// signing cannot fail.
func sign(header http.Header, body []byte, mac *webhook.HMAC) {
	if err := mac.Sign(&http.Request{Header: header}, body); err != nil {
		panic(fmt.Sprintf("webhooktest: sign: %v", err))
	}
}

// newGUID returns a random UUID in lower case, of version 4.
func newGUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
