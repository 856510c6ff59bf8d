package publish

import "time"

// The breaker of an endpoint opens after faultsToOpen failures in a row: for shortestOpen,
// then for twice as long after each further failure, up to longestOpen.
const (
	faultsToOpen = 3
	shortestOpen = 30 * time.Second
	longestOpen  = 10 * time.Minute
)

// A health is what this process has seen of an endpoint: a circuit breaker, a slow start
// and a token bucket. It is not stored, so each process finds out by itself. An admission
// guards it.
type health struct {
	config   fingerprint // of the endpoint: with another one it begins anew
	running  int         // requests under way
	waiting  int         // refusals since the last one ended
	most     int         // requests at a time; doubled by a success, 1 after a failure
	faults   int         // failures in a row
	openFor  time.Duration
	openTill time.Time // nothing is sent before
	proven   bool      // the last request succeeded, and quickly
	answered time.Time // when the last one succeeded
	tokens   float64   // requests that Rate allows now
	filled   time.Time // when tokens was right
	seen     time.Time
}

// newHealth begins with one request at a time. What the last recorded attempt says of the
// endpoint holds until this process knows better.
func newHealth(e *Endpoint, config fingerprint, slow time.Duration, now time.Time) *health {
	return &health{
		config: config,
		most:   1,
		proven: e.Last.Result == Delivered && e.Last.Took < slow,
		tokens: burst(e.Rate),
		filled: now,
	}
}

// A refusal says why a request cannot be sent now, and for how long.
type refusal struct {
	wait   time.Duration
	reason string
}

// A delivery that finds no place waits for shortestBusy, then for twice as long each time: up
// to busyWait if its endpoint has all that it may have, and up to fullWait if others have.
const (
	shortestBusy = 50 * time.Millisecond
	busyWait     = time.Second
	fullWait     = 30 * time.Second
)

// backOff returns the wait after the given refusal, the first of which is 0.
func backOff(refusal int, most time.Duration) time.Duration {
	return min(shortestBusy<<min(refusal, 10), most)
}

// refuse says why the endpoint gets no request now. It takes a token if it gets one. With
// single, it can have one request at a time only.
func (h *health) refuse(e *Endpoint, single bool, now time.Time) *refusal {
	if wait := h.openTill.Sub(now); wait > 0 {
		return &refusal{wait, "the endpoint is failing, its breaker is open"}
	}
	most := h.most
	if single {
		most = 1
	}
	if h.running >= most {
		h.waiting++
		return &refusal{backOff(h.waiting/most, busyWait), "the endpoint has as many requests under way as it can have now"}
	}
	return h.takeToken(e.Rate, now)
}

// burst is how many requests a rate allows at once.
func burst(rate float64) float64 { return max(rate, 1) }

func (h *health) takeToken(rate float64, now time.Time) *refusal {
	if rate <= 0 {
		return nil
	}
	h.tokens = min(h.tokens+rate*now.Sub(h.filled).Seconds(), burst(rate))
	h.filled = now
	if h.tokens < 1 {
		wait := min((1-h.tokens)/rate, longestWait.Seconds())
		return &refusal{time.Duration(wait*float64(time.Second)) + time.Millisecond, "the endpoint's rate is used up"}
	}
	h.tokens--
	return nil
}

// succeed notes an answer that speaks for the endpoint. If another request has opened the
// breaker meanwhile, it stays open until its time is over.
func (h *health) succeed(lanes int, quick bool, now time.Time) {
	h.faults, h.openFor = 0, 0
	h.most = min(h.most*2, max(lanes, 1))
	h.proven, h.answered = quick, now
}

// fail notes a fault of the endpoint. If it has asked not to be called for a while, that is
// how long the breaker is open, and after faultsToOpen failures shortestOpen at least.
// Requests that were under way together open it once.
func (h *health) fail(asked time.Duration, now time.Time) {
	h.faults++
	h.most, h.proven = 1, false
	open := h.faults >= faultsToOpen && !h.openTill.After(now)
	switch {
	case asked > 0 && open:
		asked = max(asked, shortestOpen)
	case open:
		h.openFor = min(max(h.openFor*2, shortestOpen), longestOpen)
		asked = h.openFor
	}
	if till := now.Add(asked); till.After(h.openTill) {
		h.openTill = till
	}
}

// idle reports whether nothing is lost if the health is forgotten.
func (h *health) idle(now time.Time) bool {
	return h.running == 0 && now.Sub(h.seen) > longestOpen && !h.openTill.After(now)
}
