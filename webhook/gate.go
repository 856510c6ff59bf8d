package webhook

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"
)

// defaultReadTimeout is how long a body may take: GitHub and Kudu give up after
// 10 seconds themselves.
const defaultReadTimeout = 10 * time.Second

// A gate lets genuine calls in: what Receiver and Middleware have in common.
type gate struct {
	source      Source
	credentials []string // headers that carry a token
	challenge   string
	unknown     string       // the type of what has none
	unanswered  atomic.Int64 // challenges since a call came with credentials
	hints       hints
}

// patientChallenges is how many challenges in a row may go without an answer
// before that is worth a warning: calls overlap.
const patientChallenges = 2

// newGate panics on a Source that cannot work: a program that starts with one
// would refuse, or worse accept, everything.
func newGate(s Source) *gate {
	if err := s.Validate(); err != nil {
		panic(err.Error())
	}
	return &gate{
		source:      s,
		credentials: credentialsOf(s.Verifier),
		challenge:   challengeOf(s.Verifier),
		unknown:     clamp(s.unknown()),
	}
}

// enter takes a request through the gate, in this order: a POST, admitted by its
// head, of the right media type, read within limits, verified, described. The
// caller releases paid when the body is no longer needed, on error and panic too.
// A panic of the Source's own funcs is an error.
func (g *gate) enter(w http.ResponseWriter, r *http.Request, log *slog.Logger, within time.Duration, paid *charge) (d *Delivery, malformed, err error) {
	defer func() {
		if v := recover(); v != nil {
			d, malformed, err = nil, nil, fmt.Errorf("%s: while receiving: %w", g.source.Name, &PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	g.hintAtSetup(r, log)
	// Even for a stranger: before it answers a refusal the server reads on for a
	// while, so that the sender sees it, and would wait for a slow body.
	limitRead(w, time.Now().Add(within))
	if g.challenge != "" && r.Header.Get("Authorization") != "" {
		g.unanswered.Store(0)
	}
	// A redirect or a 200 would count as delivered for some senders, so the gate
	// refuses other methods itself.
	if r.Method != http.MethodPost {
		return nil, nil, errMethod
	}
	if err := g.source.Verifier.Admit(r); err != nil {
		return nil, nil, g.source.refusal(err)
	}
	if !g.source.takes(r.Header) {
		return nil, nil, fmt.Errorf("%s: %w: %.64q, taken are %s", g.source.Name, ErrMediaType, r.Header.Get("Content-Type"), strings.Join(g.source.ContentTypes, ", "))
	}
	body, err := readBody(r, g.source.maxBody(), g.source.budget(), paid)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", g.source.Name, err)
	}
	// The server watches the connection for the sender's leaving from here on,
	// and would take the deadline for that.
	limitRead(w, time.Time{})
	if len(body) > 0 && isForm(r.Header) && !looksLikeJSON(body) {
		// Its document is a copy. Describe makes one, and then a direct callback.
		if err := paid.grow(int64(len(body))); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", g.source.Name, err)
		}
	}
	return g.source.open(r, body, g.credentials)
}

// tellMalformed logs what is the matter with a delivery that was taken.
func (g *gate) tellMalformed(r *http.Request, log *slog.Logger, d *Delivery, malformed error) {
	attrs := []slog.Attr{slog.Any("delivery", d), slog.String("reason", malformed.Error())}
	if stack := stackOf(malformed); stack != "" {
		attrs = append(attrs, slog.String("stack", stack))
	}
	logger(log).LogAttrs(r.Context(), slog.LevelWarn, "webhook is malformed and was kept", attrs...)
}

var errMethod = errors.New("webhook: method is not POST")

// statusOf is StatusCode, and 405 besides.
func statusOf(err error) int {
	if err == errMethod {
		return http.StatusMethodNotAllowed
	}
	return StatusCode(err)
}

// deny answers an error that is not success: the sender sees the status text,
// the log the reason, once.
func (g *gate) deny(w http.ResponseWriter, r *http.Request, log *slog.Logger, d *Delivery, err error) {
	status := statusOf(err)
	g.log(r, log, status, d, err)
	switch status {
	case http.StatusUnauthorized:
		if g.challenge != "" {
			w.Header().Set("WWW-Authenticate", g.challenge)
		}
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfterSeconds(err))
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodPost)
	}
	http.Error(w, http.StatusText(status), status)
}

// log tells of a refusal, or of a genuine delivery that was not handled. It
// names the route by its pattern, never by its path, which may be a secret.
func (g *gate) log(r *http.Request, log *slog.Logger, status int, d *Delivery, err error) {
	level, message := slog.LevelWarn, "webhook refused"
	attrs := []slog.Attr{
		slog.String("reason", err.Error()),
		slog.Int("status", status),
		slog.String("client", r.RemoteAddr),
		slog.String("pattern", r.Pattern),
	}
	if d == nil {
		attrs = append(attrs, slog.String("source", g.source.Name))
	} else {
		message = "webhook not handled"
		attrs = append(attrs, slog.Any("delivery", d))
	}
	if stack := stackOf(err); stack != "" {
		attrs = append(attrs, slog.String("stack", stack))
	}
	switch {
	case status == http.StatusUnauthorized && g.challenge != "" && r.Header.Get("Authorization") == "":
		if g.unanswered.Add(1) <= patientChallenges { // some senders wait for it and call again
			level, message = slog.LevelInfo, "webhook asked for credentials"
		}
	case status >= http.StatusInternalServerError && !asksForLater(err):
		level = slog.LevelError
	}
	logger(log).LogAttrs(r.Context(), level, message, attrs...)
}

func logger(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.Default()
	}
	return l
}
