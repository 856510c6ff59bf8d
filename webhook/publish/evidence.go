package publish

import (
	"context"
	"sync"
	"time"
)

// An endpoint is disabled for failing only if it was tried enough: if at least leastFailures
// attempts have failed, in at least leastParts of the failingParts equal parts of the time that
// is looked at. Otherwise one failure, and the next one five days later, would disable it.
// That time is up to leastWindow if DisableAfter is shorter: while the breaker is open, there is
// one attempt in longestOpen, and a short time never has enough of them.
const (
	leastFailures = 5
	leastParts    = 3
	failingParts  = 5
	leastWindow   = 10 * longestOpen
)

// hasFailedEnough reports whether an endpoint that has failed for DisableAfter was tried enough
// up to now. It looks at what is recorded since it fails, up to that time.
func (p *Publisher) hasFailedEnough(ctx context.Context, id string, since, now time.Time) bool {
	window := min(max(p.disableAfter(), leastWindow), p.retention(), now.Sub(since))
	if !p.evidence.due(id, now, min(window/100, time.Minute)) {
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	failures, parts := 0, 0
	for part := range failingParts { // of each no more than is needed: there may be millions
		f := AttemptFilter{Endpoint: id, Results: []Result{Failed}, Limit: leastFailures}
		f.From = now.Add(-window * time.Duration(part+1) / failingParts)
		if part > 0 {
			f.To = now.Add(-window * time.Duration(part) / failingParts)
		}
		before := failures
		for _, err := range p.store.Attempts(ctx, f) {
			if err != nil {
				p.faults.log(p.logger(), "the attempts of a failing endpoint cannot be read", err)
				return false
			}
			failures++
		}
		if failures > before {
			parts++
		}
		if failures >= leastFailures && parts >= leastParts {
			return true
		}
	}
	return false
}

// An evidence knows when the attempts of failing endpoints were last looked at: not after each
// failure, since there may be many of them. It is safe for concurrent use.
type evidence struct {
	mu     sync.Mutex
	looked map[string]time.Time // by the ID of the endpoint
}

// maxLooked is how many endpoints an evidence knows.
const maxLooked = 4096

// due reports whether the attempts were not looked at for a while, and notes that they are now.
func (v *evidence) due(id string, now time.Time, every time.Duration) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if last, ok := v.looked[id]; ok && now.Sub(last) < every {
		return false
	}
	if v.looked == nil || len(v.looked) >= maxLooked {
		v.looked = make(map[string]time.Time)
	}
	v.looked[id] = now
	return true
}
