package webhook

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// An Answer is the response to a request that [Source.Handshake] answers. Several
// requests may share one: it is not changed.
//
// An Answer that breaks one of these rules is a bug of the Handshake. It is logged with
// its fault, and the sender gets 500 instead:
//
//   - Status is from 200 to 299 or from 400 to 599. A redirect is refused since some
//     senders count it as delivered, and others follow it.
//   - Header has at most 8 KiB, valid names, each once in any case, and values of printable
//     ASCII. It has no header that belongs to the connection or sets a cookie or another
//     address: Alt-Svc, Connection, Content-Length, Keep-Alive, Location,
//     Proxy-Connection, Refresh, Set-Cookie, Te, Trailer, Transfer-Encoding and Upgrade.
//   - Body has at most 64 KiB, and none if Status is 204 or 205.
//
// The Receiver adds headers, since a browser must not run what was echoed, and a cache must
// not keep it: X-Content-Type-Options is always nosniff, Cache-Control is no-store if
// Header has none, and Content-Type is text/plain; charset=utf-8 if Header has none and
// there is a Body. A name without values counts as none. The answer to HEAD is sent without
// Body.
type Answer struct {
	Status int         // zero means 200
	Header http.Header // may be nil
	Body   []byte      // may be nil
}

// The limits of an Answer.
const (
	maxAnswerBody   = 64 << 10
	maxAnswerHeader = 8 << 10
)

// unanswerable are the headers that an Answer must not have, in canonical form.
var unanswerable = []string{"Alt-Svc", "Connection", "Content-Length", "Keep-Alive", "Location", "Proxy-Connection",
	"Refresh", "Set-Cookie", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

func (a *Answer) status() int {
	if a.Status == 0 {
		return http.StatusOK
	}
	return a.Status
}

// check returns the first fault of the Answer.
func (a *Answer) check() error {
	status := a.status()
	switch {
	case 300 <= status && status <= 399:
		return fmt.Errorf("the Answer's Status %d is a redirect", status)
	case status < 200 || status > 599:
		return fmt.Errorf("the Answer's Status %d is not from 200 to 299 or from 400 to 599", status)
	case len(a.Body) > maxAnswerBody:
		return fmt.Errorf("the Answer's Body has %d bytes, %d are allowed", len(a.Body), maxAnswerBody)
	case len(a.Body) > 0 && (status == http.StatusNoContent || status == http.StatusResetContent):
		return fmt.Errorf("the Answer's Body has %d bytes, and its Status %d allows none", len(a.Body), status)
	}
	return a.checkHeader()
}

func (a *Answer) checkHeader() error {
	size := 0
	seen := make(map[string]bool, len(a.Header))
	for name, values := range a.Header {
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !isHeaderName(name):
			return fmt.Errorf("the Answer's Header has %.64q, which is not a name", name)
		case slices.Contains(unanswerable, canonical):
			return fmt.Errorf("the Answer's Header has %s, which is not allowed", canonical)
		case seen[canonical]:
			return fmt.Errorf("the Answer's Header has %s in two spellings", canonical)
		}
		seen[canonical] = true
		for _, v := range values {
			if i := strings.IndexFunc(v, func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 {
				return fmt.Errorf("the Answer's Header %s has a value that is not printable ASCII at byte %d", canonical, i)
			}
			size += len(name) + len(v)
		}
	}
	if size > maxAnswerHeader {
		return fmt.Errorf("the Answer's Header has %d bytes, %d are allowed", size, maxAnswerHeader)
	}
	return nil
}

// write sends an Answer that check has accepted.
func (a *Answer) write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Del("Content-Type")
	if len(a.Body) > 0 {
		h.Set("Content-Type", "text/plain; charset=utf-8")
	}
	for name, values := range a.Header {
		if len(values) > 0 {
			h[http.CanonicalHeaderKey(name)] = slices.Clone(values)
		}
	}
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(a.status())
	if r.Method != http.MethodHead && len(a.Body) > 0 {
		_, _ = w.Write(a.Body)
	}
}

// A refusedHandshake is the error of a request that a Handshake answered with a status
// of 400 or higher.
type refusedHandshake struct {
	answer *Answer
	cause  error // the sentinel
}

// newRefusal returns the error for an Answer whose status is at least 400.
func newRefusal(a *Answer, verified bool) error {
	switch {
	case a.status() >= http.StatusInternalServerError:
		return &refusedHandshake{a, ErrOverloaded}
	case verified:
		return &refusedHandshake{a, ErrMalformed}
	default:
		return &refusedHandshake{a, ErrUnverified}
	}
}

// Error contains the beginning of what the sender gets.
func (e *refusedHandshake) Error() string {
	return fmt.Sprintf("%v: the handshake answered %d: %.100q", e.cause, e.answer.status(), e.answer.Body)
}

func (e *refusedHandshake) Unwrap() error { return e.cause }
