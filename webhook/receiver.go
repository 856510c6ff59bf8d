package webhook

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// A Receiver is an http.Handler that verifies the requests of one [Source] and
// passes each [Delivery] to a [Handler]. Set its fields before use. It serves
// requests concurrently.
//
// Mount a Receiver on a pattern without a method. It receives deliveries by POST,
// passes GET, HEAD and OPTIONS to [Source.Handshake] if there is one, and answers every
// other request with 405 and an Allow header that lists these methods. If such a request
// reached another page instead, the answer would be 200, which some senders count as
// delivered.
//
// A request that Handshake answers never reaches the Handler. It is logged at level Debug,
// with the field verified, and no Observer is called. But if the Status of the Answer is
// 400 or higher, it is logged and observed like any other refusal.
//
// If the Handler succeeds, the answer is 202 with a small JSON object. Its
// "duplicate" and "state" fields are set for a delivery that was already stored.
// Every other answer is the text of the status that [StatusCode] returns; the reason
// is logged, once. A panic of the Handler is recovered and answered with 500.
//
// Anybody can cause refusals. Of each status at most ten a minute are logged, and then
// the number of the others. Those of bodies that do not arrive, or for which there is no
// memory, are counted apart, so that they cannot hide a failure of a verifier's KeysFor.
// An authentic delivery that is not handled is always logged.
//
// A Receiver also logs a warning about what works and is probably a mistake:
//
//   - a secret that begins or ends in white space
//   - a pattern with a method
//   - types in Source.CoalesceTypes that have the prefix of another source
//   - a delivery without a known type, or with a type that the Handler does not
//     handle
//   - a Handler whose method Volatile() bool returns true, because it keeps
//     deliveries in memory only. The Handlers that [Store] and [Wrap] return have
//     this method. They ask the Inbox or Handler that they were given.
type Receiver struct {
	// Logger receives refusals and failures. If nil, it is slog.Default.
	Logger *slog.Logger
	// ReadTimeout is how long the body may take to arrive. After that the answer
	// is 503. It replaces http.Server.ReadTimeout. Zero means 10 s.
	ReadTimeout time.Duration
	// Observer, if not nil, receives events for metrics.
	Observer *Observer
	// ClientIP returns the client's address behind a proxy, for the log; see
	// [ClientIPBehind]. If nil, the client is the peer of the connection.
	ClientIP func(*http.Request) (netip.Addr, error)

	intake       *intake
	handler      Handler
	warnVolatile sync.Once
}

// NewReceiver returns a Receiver of the given Source. It panics on a Source that
// [Source.Validate] refuses and on a nil Handler.
func NewReceiver(src Source, h Handler) *Receiver {
	mustHandle("NewReceiver", h)
	return &Receiver{intake: newIntake(src), handler: h}
}

// ServeHTTP receives one request.
func (rc *Receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	c := rc.intake.call(w, r, rc.Logger)
	c.client = rc.ClientIP
	defer c.memory.release()
	got, err := c.receive(positive(rc.ReadTimeout, defaultReadTimeout))
	if err != nil {
		for _, o := range rc.observers(r.Context()) {
			o.rejected(r.Context(), c.source.Name, statusOf(err), err)
		}
		c.reject(nil, err)
		return
	}
	if c.answer != nil {
		c.sendAnswer()
		return
	}
	rc.warnVolatile.Do(rc.warnIfVolatile)
	d := got.delivery
	err = rc.handle(&c, d, start)
	for _, o := range rc.observers(r.Context()) {
		o.received(r.Context(), d, err, time.Since(start))
	}
	if StatusCode(err) != http.StatusAccepted {
		c.reject(d, err)
		return
	}
	switch {
	case got.malformed != nil:
		c.logMalformed(got)
	case c.isUntyped(d):
		c.hintUntyped(d)
	case isAll(err, ErrNoHandler):
		c.hintUnhandled(d, err)
	}
	accept(w, d, err)
}

// handle calls the Handler. If the Handler ends its goroutine, the deferred func
// answers the request, since nothing after the call runs.
func (rc *Receiver) handle(c *call, d *Delivery, start time.Time) error {
	returned := false
	defer func() {
		if !returned {
			for _, o := range rc.observers(c.r.Context()) {
				o.received(c.r.Context(), d, goexitError(), time.Since(start))
			}
			c.reject(d, goexitError())
			_ = http.NewResponseController(c.w).Flush()
		}
	}()
	err := callHandler(c.r.Context(), rc.handler, d)
	returned = true
	return err
}

// warnIfVolatile logs that a restart loses acknowledged deliveries.
func (rc *Receiver) warnIfVolatile() {
	if isVolatile(rc.handler) {
		logger(rc.Logger).Warn("deliveries are kept in memory only: a restart loses what was acknowledged", "source", rc.intake.source.Name)
	}
}

// jsonType is the value of Content-Type that all answers share. Appending to it copies
// it, since it is full.
var jsonType = []string{"application/json"}

// accept answers 202. It writes the usual body by hand: a UID minted here needs no
// escaping.
func accept(w http.ResponseWriter, d *Delivery, err error) {
	var text []byte
	if err == nil {
		text = append(append(append(make([]byte, 0, 64), `{"uid":"`...), d.UID...), '"', '}')
	} else {
		text, _ = json.Marshal(acceptance(d, err)) // strings and a bool: cannot fail
	}
	w.Header()["Content-Type"] = jsonType
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
	if known, ok := errors.AsType[*DuplicateError](err); ok {
		return accepted{UID: known.UID, Duplicate: true, State: known.State}
	}
	return accepted{UID: d.UID, Duplicate: errors.Is(err, ErrDuplicate)}
}
