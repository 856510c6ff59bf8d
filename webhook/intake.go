package webhook

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// An intake receives the requests of one Source. [Receiver] and
// [Source.Middleware] share it.
type intake struct {
	source      Source
	credentials []string     // headers that carry a secret
	challenge   string       // for WWW-Authenticate; empty if there is none
	untyped     string       // the type of a delivery without a known type
	asksKeys    bool         // a verifier has KeysFor
	unanswered  atomic.Int64 // challenges since the last request with credentials
	hints       hints
	refusals    logLimit // by status
}

// maxUnanswered is how many challenges in a row may remain unanswered before one
// is logged as a warning. There may be several because requests overlap.
const maxUnanswered = 2

// newIntake panics on an invalid Source. A program that starts with one would
// refuse every request or, worse, accept every request.
func newIntake(s Source) *intake {
	if err := s.Validate(); err != nil {
		panic(err.Error())
	}
	return &intake{
		source:      s,
		credentials: credentialsOf(s.Verifier),
		challenge:   challengeOf(s.Verifier),
		untyped:     clamp(s.untyped()),
		asksKeys:    asksKeys(s.Verifier),
		refusals:    logLimit{burst: maxRefusals},
	}
}

// A call is one request at an intake. Its memory must be released when the body is
// no longer needed, also after an error or a panic.
type call struct {
	*intake
	w      http.ResponseWriter
	r      *http.Request
	logger *slog.Logger
	memory charge                                  // for the body
	client func(*http.Request) (netip.Addr, error) // Receiver.ClientIP
	answer *Answer                                 // of Source.Handshake; nil if there is none
	noBody bool                                    // the body was refused, or did not arrive
}

func (in *intake) call(w http.ResponseWriter, r *http.Request, l *slog.Logger) call {
	if in.asksKeys {
		r = withKeyLookups(r)
	}
	return call{intake: in, w: w, r: r, logger: logger(l)}
}

var errMethod = errors.New("webhook: method is not POST")

// receive admits the request by its method and head, checks its media type, reads
// its body within limits, verifies it and describes it, in this order. If the Source's
// Handshake answers, before the first or the last of these, receive sets c.answer and
// returns nothing. A panic of one of the Source's funcs is returned as an error.
func (c *call) receive(timeout time.Duration) (got opened, err error) {
	defer func() {
		if v := recover(); v != nil {
			got, err = opened{}, fmt.Errorf("%s: while receiving: %w", c.source.Name, &PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	c.hintSetup()
	// Set the deadline for strangers too. Before the server sends a refusal it
	// reads on for a while, so that the sender gets the answer, and would wait for
	// a slow body.
	limitRead(c.w, time.Now().Add(timeout))
	if c.challenge != "" && c.hasCredentials() {
		c.unanswered.Store(0)
	}
	in := bodyReader{request: c.r, limit: c.source.maxBody(), budget: c.source.budget()}
	if c.source.Handshake != nil {
		if err := c.greet(&in); err != nil || c.answer != nil {
			return opened{}, err
		}
	}
	// Refuse other methods here: some senders would count a redirect or a 200 as
	// delivered.
	if c.r.Method != http.MethodPost {
		return opened{}, errMethod
	}
	if err := c.source.Verifier.Admit(c.r); err != nil {
		return opened{}, c.source.refusal(err)
	}
	if !c.source.takes(c.r.Header) {
		return opened{}, fmt.Errorf("%s: %w: %.64q, taken are %s", c.source.Name, ErrMediaType, c.r.Header.Get("Content-Type"), strings.Join(c.source.ContentTypes, ", "))
	}
	body, err := in.all(&c.memory)
	if err != nil {
		c.noBody = true
		return opened{}, fmt.Errorf("%s: %w", c.source.Name, err)
	}
	// From here on the server watches the connection for the sender to leave, and
	// would take a passed deadline for that.
	limitRead(c.w, time.Time{})
	if len(body) > 0 && isForm(c.r.Header) && !looksLikeJSON(body) {
		// The document of a form is a copy. Describe makes one, and later the
		// callback does.
		if err := c.memory.grow(int64(len(body))); err != nil {
			c.noBody = true
			return opened{}, fmt.Errorf("%s: %w", c.source.Name, err)
		}
	}
	proof, err := c.source.verify(c.r, body)
	if err != nil {
		return opened{}, err
	}
	if c.source.Handshake != nil {
		if err := c.greetVerified(body, proof); err != nil || c.answer != nil {
			return opened{}, err
		}
	}
	return c.source.deliver(c.r, body, proof, c.credentials)
}

// hasCredentials reports whether the request has an Authorization header.
func (c *call) hasCredentials() bool { return c.r.Header.Get("Authorization") != "" }

// reject answers an error that is not a success. The sender gets the status text, or
// the Answer of a Handshake that refused the request. The reason is logged, once. d is
// nil if the request was refused.
func (c *call) reject(d *Delivery, err error) {
	status := statusOf(err)
	c.logRejected(status, d, err)
	if refused, ok := errors.AsType[*refusedHandshake](err); ok {
		refused.answer.write(c.w, c.r)
		return
	}
	switch status {
	case http.StatusUnauthorized:
		if c.challenge != "" {
			c.w.Header().Set("WWW-Authenticate", c.challenge)
		}
	case http.StatusServiceUnavailable:
		c.w.Header().Set("Retry-After", retryAfterSeconds(err))
	case http.StatusMethodNotAllowed:
		c.w.Header().Set("Allow", c.allowed())
	}
	http.Error(c.w, http.StatusText(status), status)
}

// statusOf is StatusCode that also knows 405 and the statuses of handshakes.
func statusOf(err error) int {
	if err == errMethod || err == errNoAnswer {
		return http.StatusMethodNotAllowed
	}
	if refused, ok := errors.AsType[*refusedHandshake](err); ok {
		return refused.answer.status()
	}
	return StatusCode(err)
}

// retryAfterSeconds returns the seconds of a [RetryAfter] in err, rounded up, or 5.
func retryAfterSeconds(err error) string {
	after, ok := errors.AsType[*retryAfterError](err)
	if !ok {
		return "5"
	}
	seconds := int64(after.after / time.Second)
	if after.after%time.Second > 0 {
		seconds++
	}
	return strconv.FormatInt(seconds, 10)
}

// logRejected logs that a request was refused, or that a delivery was not handled.
// It names the route by its pattern: the path may contain a secret. Anybody can cause
// a refusal, so only some of them are logged.
func (c *call) logRejected(status int, d *Delivery, err error) {
	level, message := slog.LevelWarn, "webhook refused"
	switch {
	case status == http.StatusUnauthorized && c.challenge != "" && !c.hasCredentials():
		if c.unanswered.Add(1) <= maxUnanswered { // some senders wait for the challenge and call again
			level, message = slog.LevelInfo, "webhook asked for credentials"
		}
	case status >= http.StatusInternalServerError && !hasRetryAfter(err):
		level = slog.LevelError
	}
	attrs := []slog.Attr{slog.String("reason", err.Error()), slog.Int("status", status), slog.String("pattern", c.r.Pattern)}
	if d == nil {
		held, ok := c.allowRefusal(level, message, status)
		if !ok {
			return
		}
		attrs = append(attrs, slog.String("source", c.source.Name), slog.Int("unlogged", held))
	} else {
		message = "webhook not handled"
		attrs = append(attrs, slog.Any("delivery", d))
	}
	attrs = append(attrs, c.clientAttrs()...)
	if stack := stackOf(err); stack != "" {
		attrs = append(attrs, slog.String("stack", stack))
	}
	c.logger.LogAttrs(c.r.Context(), level, message, attrs...)
}

// logMalformed logs why an accepted delivery is malformed.
func (c *call) logMalformed(got opened) {
	attrs := []slog.Attr{slog.Any("delivery", got.delivery), slog.String("reason", got.malformed.Error())}
	if stack := stackOf(got.malformed); stack != "" {
		attrs = append(attrs, slog.String("stack", stack))
	}
	c.logger.LogAttrs(c.r.Context(), slog.LevelWarn, "malformed delivery accepted", attrs...)
}
