package webhook

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxGreeting is the maximum length of the body of a request that an unverified
// handshake may answer.
const maxGreeting = 1 << 10

// greetable are the methods that an unverified handshake may answer.
var greetable = []string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPost}

var errNoAnswer = errors.New("webhook: method is not POST, and the handshake has no answer")

// allowed is the value of the Allow header.
func (in *intake) allowed() string {
	if in.source.Handshake == nil {
		return http.MethodPost
	}
	return strings.Join(greetable, ", ")
}

// greet calls Handshake for a request that is not verified. If it has no answer, or
// was not called since the body is too long, did not arrive or had no memory, greet returns
// nil for a POST: the next steps read the rest of the body, or refuse the request.
func (c *call) greet(in *bodyReader) error {
	if !slices.Contains(greetable, c.r.Method) {
		return nil
	}
	body, ok := c.greeting(in)
	if ok {
		limitRead(c.w, time.Time{})
		if err := c.setAnswer(c.source.Handshake(c.r, body, nil), false); err != nil || c.answer != nil {
			return err
		}
	}
	if c.r.Method != http.MethodPost {
		return errNoAnswer
	}
	return nil
}

// greeting returns the body if it may be that of a handshake.
func (c *call) greeting(in *bodyReader) (body []byte, ok bool) {
	if c.r.ContentLength == 0 {
		return nil, true // needs no Budget
	}
	body, ok = in.within(min(maxGreeting, in.limit), &c.memory)
	return body[:len(body):len(body)], ok
}

// greetVerified calls Handshake for an authentic request. It is a func of its own so
// that proof is copied to the heap only if there is a Handshake.
func (c *call) greetVerified(body []byte, proof Proof) error {
	return c.setAnswer(c.source.Handshake(c.r, body[:len(body):len(body)], &proof), true)
}

// setAnswer checks an Answer and sets c.answer. It returns an error for an Answer with
// a fault, and for one that refuses the request. A nil Answer has no effect.
func (c *call) setAnswer(a *Answer, verified bool) error {
	if a == nil {
		return nil
	}
	if err := a.check(); err != nil {
		return fmt.Errorf("%s: Handshake: %w", c.source.Name, err)
	}
	if a.status() >= http.StatusBadRequest {
		return fmt.Errorf("%s: %w", c.source.Name, newRefusal(a, verified))
	}
	c.logger.LogAttrs(c.r.Context(), slog.LevelDebug, "webhook handshake answered",
		slog.String("source", c.source.Name), slog.String("method", c.r.Method), slog.Int("status", a.status()),
		slog.Bool("verified", verified), slog.String("pattern", c.r.Pattern))
	c.answer = a
	return nil
}

// sendAnswer sends the Answer of a handshake.
func (c *call) sendAnswer() { c.answer.write(c.w, c.r) }
