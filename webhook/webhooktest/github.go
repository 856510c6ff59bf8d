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

// maxEvent is GitHub's cap, 25 MB (github/docs: payload_cap.md).
const maxEvent = 25 << 20

// GitHub sends events as GitHub does: one attempt with a time-out of 10 seconds
// and no retry, 2xx is success, and an event over 25 MB is never sent
// (github/docs: best practices, handling failed deliveries).
//
// A delivery with a secret has eleven headers next to Host: X-GitHub-Event,
// X-GitHub-Delivery, X-GitHub-Hook-ID, X-GitHub-Hook-Installation-Target-Type,
// X-GitHub-Hook-Installation-Target-ID, X-Hub-Signature, X-Hub-Signature-256,
// User-Agent, Accept, Content-Type and Content-Length. Without a secret the two
// signatures are left out. GitHub's documents do not say what it makes of a
// redirect; here it is not followed, and being no 2xx it is a failure.
//
// The zero value sends unsigned JSON. It is safe for concurrent use.
type GitHub struct {
	// Secret signs the body. Zero means no signature.
	Secret webhook.Secret
	// HookID is the hook's number. Zero means 1.
	HookID int64
	// TargetType is what the hook is installed on: "repository", "organization",
	// "integration". Zero means "repository".
	TargetType string
	// TargetID is the number of that. Zero means 1.
	TargetID int64
	// Form sends the body as the form field "payload", which is what hooks made
	// over the API do unless told otherwise. Zero means application/json.
	Form bool
	// Timeout is for the whole attempt. Zero means 10 s; GitHub Enterprise Server
	// has 30 s.
	Timeout time.Duration
	// Transport makes the calls. Zero means a fresh http.Transport for each
	// delivery.
	Transport http.RoundTripper
}

// Deliver sends the event, such as "push", with a new GUID. Body is the JSON
// document.
func (g *GitHub) Deliver(ctx context.Context, target, event string, body []byte) Result {
	return g.Redeliver(ctx, newGUID(), target, event, body)
}

// Redeliver sends an event again under the GUID of an earlier [Result], as the
// button in GitHub's list of deliveries does.
func (g *GitHub) Redeliver(ctx context.Context, guid, target, event string, body []byte) Result {
	result := Result{GUID: guid}
	if len(body) > maxEvent {
		result.Err = fmt.Errorf("%w: %d bytes, GitHub sends at most %d", ErrTooLarge, len(body), maxEvent)
		return result
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
	c, err := newCall(target, header, body)
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

func (g *GitHub) targetType() string {
	if g.TargetType == "" {
		return "repository"
	}
	return g.TargetType
}

func orOne(n int64) int64 {
	if n == 0 {
		return 1
	}
	return n
}

// sign sets a signature over body in header. The key is not empty, so that
// signing cannot fail.
func sign(header http.Header, body []byte, mac *webhook.HMAC) {
	if err := mac.Sign(&http.Request{Header: header}, body); err != nil {
		panic(fmt.Sprintf("webhooktest: sign: %v", err))
	}
}

// newGUID returns a random UUID in lower case.
func newGUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
