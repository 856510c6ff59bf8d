package webhook

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// A Receiver is the http.Handler for one Source: it lets genuine calls in and
// hands their deliveries on. Mount it without a method: it answers 405 itself,
// and a path that falls through to a page would answer 200, which some senders
// count as delivered.
//
// A handled or stored delivery is answered 202 with a small JSON object, in
// which "duplicate" and "state" tell of one that was known. Everything else is
// answered by [StatusCode] with the status text alone; the reason goes to
// Logger once. A panic of the Handler is contained and answered 500. Set the
// fields before use; a Receiver serves requests concurrently.
//
// Logger also gets a warning of what works and is likely a mistake: a secret that
// begins or ends in white space, a mount with a method, a type that is not known or
// that the Handler does not take, a Handler whose method Volatile() bool returns true
// because it keeps deliveries in memory only. [Store] and [Wrap] return Handlers that
// have this method and ask the Inbox or Handler that they were given.
type Receiver struct {
	// Logger gets refusals and failures. Zero means slog.Default.
	Logger *slog.Logger
	// ReadTimeout is how long the body may take to arrive; then the answer is 503.
	// It takes the place of http.Server.ReadTimeout. Zero means 10 s.
	ReadTimeout time.Duration
	// Observer has funcs that are called when something happens. May be nil.
	Observer *Observer

	gate     *gate
	handler  Handler
	volatile sync.Once
}

// NewReceiver panics on a Source that [Source.Validate] refuses and on a nil
// Handler.
func NewReceiver(src Source, h Handler) *Receiver {
	mustHandle("NewReceiver", h)
	return &Receiver{gate: newGate(src), handler: h}
}

// ServeHTTP receives one call.
func (rc *Receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	var paid charge
	defer paid.release()
	d, malformed, err := rc.gate.enter(w, r, rc.Logger, readTimeout(rc.ReadTimeout), &paid)
	if err != nil {
		rc.Observer.rejected(rc.gate.source.Name, statusOf(err), err)
		rc.gate.deny(w, r, rc.Logger, nil, err)
		return
	}
	rc.volatile.Do(rc.warnIfVolatile)
	err = rc.handle(w, r, d, start)
	rc.Observer.received(d, err, time.Since(start))
	if StatusCode(err) != http.StatusAccepted {
		rc.gate.deny(w, r, rc.Logger, d, err)
		return
	}
	switch {
	case malformed != nil:
		rc.gate.tellMalformed(r, rc.Logger, d, malformed)
	case rc.gate.isUntyped(d):
		rc.gate.hintUntyped(r, rc.Logger, d)
	case isAll(err, ErrNoHandler):
		rc.gate.hintUnhandled(r, rc.Logger, d, err)
	}
	accept(w, d, err)
}

// handle calls the Handler. One that ends its goroutine is answered on the way
// out, since nothing comes after that.
func (rc *Receiver) handle(w http.ResponseWriter, r *http.Request, d *Delivery, start time.Time) error {
	returned := false
	defer func() {
		if !returned {
			rc.Observer.received(d, exited(), time.Since(start))
			rc.gate.deny(w, r, rc.Logger, d, exited())
			_ = http.NewResponseController(w).Flush()
		}
	}()
	err := judged(r.Context(), rc.handler, d)
	returned = true
	return err
}

// warnIfVolatile says once that what is acknowledged here can be lost.
func (rc *Receiver) warnIfVolatile() {
	if isVolatile(rc.handler) {
		logger(rc.Logger).Warn("deliveries are kept in memory only: a restart loses what was acknowledged", "source", rc.gate.source.Name)
	}
}

// isVolatile reports whether a Handler or an Inbox says that it keeps what it
// acknowledges in memory only.
func isVolatile(v any) bool {
	var panicked error // counts as no
	defer contained(&panicked)
	m, ok := v.(interface{ Volatile() bool })
	return ok && m.Volatile()
}

// accept answers 202. The body is made by hand where it can be: a UID minted
// here needs no escaping.
func accept(w http.ResponseWriter, d *Delivery, err error) {
	var text []byte
	if err == nil {
		text = append(append(append(make([]byte, 0, 64), `{"uid":"`...), d.UID...), '"', '}')
	} else {
		text, _ = json.Marshal(acceptance(d, err)) // strings only: cannot fail
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = w.Write(append(text, '\n'))
}

// An accepted is the body of a 202.
type accepted struct {
	UID       string `json:"uid"`
	Duplicate bool   `json:"duplicate,omitempty"`
	State     State  `json:"state,omitempty"`
}

func acceptance(d *Delivery, err error) accepted {
	var known *DuplicateError
	switch {
	case errors.As(err, &known):
		return accepted{UID: known.UID, Duplicate: true, State: known.State}
	case errors.Is(err, ErrDuplicate):
		return accepted{UID: d.UID, Duplicate: true}
	default:
		return accepted{UID: d.UID}
	}
}

func readTimeout(d time.Duration) time.Duration {
	if d <= 0 {
		return defaultReadTimeout
	}
	return d
}

// retryAfterSeconds rounds up; what says nothing gets 5 seconds.
func retryAfterSeconds(err error) string {
	var after *retryAfterError
	if errors.As(err, &after) {
		seconds := int64(after.after / time.Second)
		if after.after%time.Second > 0 {
			seconds++
		}
		return strconv.FormatInt(seconds, 10)
	}
	return "5"
}

func stackOf(err error) string {
	var p *PanicError
	if errors.As(err, &p) {
		return string(p.Stack)
	}
	return ""
}
