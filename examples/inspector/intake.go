package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// binPath is where the calls of bins go.
const binPath = "/in/"

// bodyTimeout is how long a body may take to arrive. With the longest delay it is shorter
// than the WriteTimeout of the server.
const bodyTimeout = 10 * time.Second

// storeTimeout is how long storing a capture may take.
const storeTimeout = 10 * time.Second

// The headers that a capture has beside those of the call. What a caller sends under the
// prefix is removed.
const (
	ownPrefix       = "Bin-"
	nameHeader      = ownPrefix + "Name"
	requestHeader   = ownPrefix + "Request"   // the method, and what comes after the bin's name in the URL
	hostHeader      = ownPrefix + "Host"      // by which the bin was called
	clientHeader    = ownPrefix + "Client"    // the address of the caller
	answeredHeader  = ownPrefix + "Answered"  // what the caller got
	bodyHeader      = ownPrefix + "Body"      // why the body is not stored, or not as a whole
	forwardedHeader = ownPrefix + "Forwarded" // the call comes from a bin
)

// An intake captures the calls of bins and answers them.
type intake struct {
	bins    *bins
	memory  bodyBudget
	delays  *delays
	maxBody int64
	open    bool
	life    time.Duration // of a bin that open makes
	unknown http.Handler
	log     *slog.Logger
}

func newIntake(b *bins, s *settings, log *slog.Logger) *intake {
	return &intake{
		bins: b, memory: bodyBudget{most: bodyMemory}, delays: newDelays(), maxBody: s.maxBody, open: s.open, life: s.expire,
		unknown: &wrongPath{log: log}, log: log,
	}
}

// withBins passes calls of bins to an intake and all others to another handler. It looks at
// the path as it was sent, since a ServeMux would answer some paths with a redirect.
func withBins(in *intake, others http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.EscapedPath(), binPath) {
			in.ServeHTTP(w, r)
			return
		}
		others.ServeHTTP(w, r)
	})
}

// ServeHTTP captures a call and answers it as its bin says.
func (in *intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	// The answer may be HTML, at the address of the inspector. In a sandbox it has an origin
	// of its own, in which no script runs.
	h.Set("Content-Security-Policy", "sandbox; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	// No page at this address calls a bin. One that loads an answer as a script does not mean it.
	if r.Header.Get("Sec-Fetch-Site") == "same-origin" && r.Header.Get("Sec-Fetch-Dest") != "document" {
		http.Error(w, "a bin is not called by a page of the inspector", http.StatusForbidden)
		return
	}
	name, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), binPath), "/")
	b, err := in.bin(r.Context(), name)
	switch {
	case errors.Is(err, errManyBins): // anybody can cause it, so it is not logged
		http.Error(w, "the bin is not made: there are as many as allowed", http.StatusServiceUnavailable)
		return
	case err != nil:
		in.log.Warn("a bin cannot be made", "reason", err)
		http.Error(w, "the bin cannot be made now", http.StatusServiceUnavailable)
		return
	case b == nil:
		in.unknown.ServeHTTP(w, r)
		return
	case !b.calls.allow():
		h.Set("Retry-After", "1")
		http.Error(w, "the bin gets too many calls", http.StatusTooManyRequests)
		return
	}
	in.capture(w, r, b, rest)
}

// bin returns the bin with a name, and nil if there is none.
func (in *intake) bin(ctx context.Context, name string) (*activeBin, error) {
	b, ok := in.bins.get(name)
	switch {
	case ok:
		return b, nil
	case !in.open || !namePattern.MatchString(name):
		return nil, nil
	}
	return in.bins.open(ctx, name, in.life)
}

// capture stores a call, waits, and answers. Rest is what comes after the name of the bin in
// its path.
func (in *intake) capture(w http.ResponseWriter, r *http.Request, b *activeBin, rest string) {
	body, release, refusal := in.body(w, r, b)
	defer func() { release() }()
	reply := answer{status: b.Status, header: b.Header, body: b.Body}
	if refusal.status != 0 {
		reply = refusal
	} else if b.Delay > 0 {
		if done, ok := in.delays.begin(b); ok {
			defer done()
			reply.delay = b.Delay
		} else {
			reply = answerText(http.StatusServiceUnavailable, "Too many answers are being delayed.")
		}
	}
	d, err := describe(r, &b.bin, rest, body)
	if err == nil {
		if refusal.status != 0 {
			d.Header.Set(bodyHeader, refusal.body+" It is not stored.")
		}
		d.Header.Set(answeredHeader, reply.String())
		// A caller may leave as soon as it has sent all.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), storeTimeout)
		defer cancel()
		err = in.bins.captures.put(ctx, b.Name, d)
	}
	if err != nil {
		in.log.Error("a call is not captured", "bin", b.Name, "reason", err)
		reply = answerText(http.StatusServiceUnavailable, "The call is not captured.")
	}
	release()
	release, body, d = func() {}, nil, nil // a delay needs no memory
	reply.write(w, r, in.delays)
}

// body reads the body of a call. If it cannot, the refusal is what to answer.
func (in *intake) body(w http.ResponseWriter, r *http.Request, b *activeBin) (body []byte, release func(), refusal answer) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTimeout)) // a test's writer has none
	if r.ContentLength > in.maxBody {
		return nil, func() {}, answerText(http.StatusRequestEntityTooLarge, fmt.Sprintf("The body has %d bytes, more than %d bytes.", r.ContentLength, in.maxBody))
	}
	// A shutdown does not wait for a body.
	defer context.AfterFunc(in.delays.ending, func() { _ = control.SetReadDeadline(time.Now()) })()
	body, release, err := readBody(r.Body, in.maxBody, &in.memory, b.memory)
	switch {
	case err == nil:
		// From here on the server watches the connection, and would take a passed deadline for
		// a caller who has left.
		_ = control.SetReadDeadline(time.Time{})
	case errors.Is(err, errTooLarge):
		refusal = answerText(http.StatusRequestEntityTooLarge, fmt.Sprintf("The body has more than %d bytes.", in.maxBody))
	case errors.Is(err, errNoMemory):
		refusal = answerText(http.StatusServiceUnavailable, "Too many bodies were being received.")
	case in.delays.ending.Err() != nil:
		refusal = answerText(http.StatusServiceUnavailable, "The program ended before the body arrived.")
	case errors.Is(err, os.ErrDeadlineExceeded):
		refusal = answerText(http.StatusRequestTimeout, fmt.Sprintf("The body did not arrive within %v.", bodyTimeout))
	default:
		refusal = answerText(http.StatusBadRequest, "The body broke off.")
	}
	return body, release, refusal
}

// describe returns the delivery of a call, as the sender of its bin describes it.
func describe(r *http.Request, b *bin, rest string, body []byte) (*webhook.Delivery, error) {
	cameFromBin := r.Header.Get(forwardedHeader) != ""
	for name := range r.Header {
		if strings.HasPrefix(name, ownPrefix) {
			r.Header.Del(name)
		}
	}
	d, err := b.source().OpenUnsigned(r, body, "captured by the bin "+b.Name+", which checks no signature")
	if err != nil {
		return nil, err
	}
	// Each call is shown, also one that its sender repeats.
	d.DedupKeys, d.Coalesce = nil, webhook.Coalesce{}
	path, query := shownPath(rest, b.hasTokenInURL()), shownQuery(r.URL.RawQuery, b.hasTokenInURL())
	if b.Sender == "" {
		// Each call has an ordering key of its own, which only the answer to its forward shares.
		d.OrderingKey = clip(strings.TrimSpace(r.Method+" "+path), maxShown) + " " + d.UID[len(d.UID)-8:]
	}
	d.Header.Set(requestHeader, clip(r.Method+" "+path+query, maxHeader))
	d.Header.Set(hostHeader, r.Host)
	d.Header.Set(clientHeader, r.RemoteAddr)
	if cameFromBin {
		d.Header.Set(forwardedHeader, "it was forwarded by a bin")
	}
	return d, nil
}
