package publish

import (
	"sync"
	"time"
)

// An admission decides which deliveries may be sent now, so that no endpoint delays another.
// Endpoints that are not proven, because they are new, fail or are slow, share half of the
// slots: the other half remains for the proven ones, however many hang. It is safe for
// concurrent use.
type admission struct {
	slow time.Duration // a request that takes longer does not prove its endpoint

	mu        sync.Mutex
	unproven  int // places that endpoints which are not proven may have
	used      int // of them
	outage    outage
	endpoints map[string]*health
	forgotten time.Time // when idle ones were last removed
}

func newAdmission(slots int, timeout time.Duration) *admission {
	return &admission{
		slow:      timeout / slowPart,
		unproven:  max(slots/2, 1),
		outage:    outage{timeout: timeout, enough: max(slots/4, 1)},
		endpoints: make(map[string]*health),
	}
}

// slowPart is the part of a timeout after which a request is slow.
const slowPart = 5

// A visit is the right to send one request.
type visit struct {
	from     *admission
	health   *health // nil for a test, which says nothing about the endpoint
	unproven bool
	ended    bool
}

// admit returns a visit, or why there is none. The caller must end the visit.
func (a *admission) admit(e *Endpoint, config fingerprint, now time.Time) (*visit, *refusal) {
	a.mu.Lock()
	defer a.mu.Unlock()
	h := a.health(e, config, now)
	if !h.proven && a.used >= a.unproven {
		h.waiting++
		return nil, &refusal{backOff(h.waiting/positive(e.Lanes, defaultLanes), fullWait), noPlace}
	}
	if r := h.refuse(e, a.outage.suspects(h, now), now); r != nil {
		return nil, r
	}
	h.running++
	return a.visit(h, !h.proven), nil
}

// admitTest returns a visit for a test, which does not depend on the health of the endpoint.
func (a *admission) admitTest() (*visit, *refusal) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.used >= a.unproven {
		return nil, &refusal{busyWait, noPlace}
	}
	return a.visit(nil, true), nil
}

const noPlace = "endpoints that are not proven have all of their places"

func (a *admission) visit(h *health, unproven bool) *visit {
	if unproven {
		a.used++
	}
	return &visit{from: a, health: h, unproven: unproven}
}

// health returns that of an endpoint. One that was changed or resumed begins anew.
func (a *admission) health(e *Endpoint, config fingerprint, now time.Time) *health {
	a.forgetIdle(now)
	h := a.endpoints[e.ID]
	if h == nil || h.config != config {
		h = newHealth(e, config, a.slow, now)
		a.endpoints[e.ID] = h
	}
	h.seen = now
	return h
}

// forgetIdle removes, from time to time, what is not used any more.
func (a *admission) forgetIdle(now time.Time) {
	if now.Sub(a.forgotten) < longestOpen {
		return
	}
	a.forgotten = now
	for id, h := range a.endpoints {
		if h.idle(now) {
			delete(a.endpoints, id)
		}
	}
}

// forget makes an endpoint begin anew.
func (a *admission) forget(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.endpoints, id)
}

// end gives back the place. It does nothing if the visit has ended.
func (v *visit) end() { v.finish(func(*health) {}) }

// answered ends the visit with what came of the request.
func (v *visit) answered(result Result, took, asked time.Duration, lanes int) {
	now := time.Now()
	v.finish(func(h *health) {
		if result != Failed {
			h.succeed(lanes, took < v.from.slow, now)
			return
		}
		h.fail(asked, now)
		if took >= v.from.slow {
			v.from.outage.note(now)
		}
	})
}

func (v *visit) finish(note func(*health)) {
	v.from.mu.Lock()
	defer v.from.mu.Unlock()
	if v.ended {
		return
	}
	v.ended = true
	if v.unproven {
		v.from.used--
	}
	if v.health != nil {
		v.health.running--
		v.health.waiting = 0
		note(v.health)
	}
}
