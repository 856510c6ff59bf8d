package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"sync"
	"time"
)

var errSpoolStops = errors.New("webhook: spool stops before it was forwarded")

// forward hands one delivery from local to primary, under a claim. Its error is
// for the Worker: only a refusal for good ends the delivery. Stop is Run's own
// context.
func (s *Spool) forward(ctx, stop context.Context, d *Delivery) error {
	probe, err := s.pace.wait(ctx, stop)
	if err != nil {
		return RetryAfter(0, err) // the next Run begins with it
	}
	whole := restored(d)
	trial, cancel := context.WithTimeout(ctx, forwardTimeouts*s.primaryTimeout())
	defer cancel()
	err = safely(trial, s.primary, whole)
	known := isAll(err, ErrDuplicate)
	s.pace.tell(probe, err == nil || known || IsPermanent(err), s.retry())
	switch {
	case known:
		s.logger().LogAttrs(ctx, slog.LevelDebug, "forwarded delivery was known", slog.Any("delivery", whole), slog.String("reason", err.Error()))
		return nil
	case errors.Is(err, ErrIgnored), errors.Is(err, ErrNoHandler): // not for an inbox to say
		return fmt.Errorf("webhook: forwarding: %v", err)
	default:
		return err
	}
}

// A pace keeps a Spool from trying everything on a primary that takes nothing:
// after a failure one delivery at a time is tried, with growing waits, until
// one succeeds. The zero value is ready.
type pace struct {
	mu       sync.Mutex
	failures int // in a row
	next     time.Time
	probing  chan struct{} // nil: nobody probes; otherwise closed when that ends
}

// well reports whether primary answered when it was asked last.
func (p *pace) well() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failures == 0
}

// wait returns when it is time to try, alone if probe. It fails when one of the
// contexts ends.
func (p *pace) wait(ctx, stop context.Context) (probe bool, err error) {
	for {
		p.mu.Lock()
		if p.failures == 0 {
			p.mu.Unlock()
			return false, nil
		}
		busy, left := p.probing, time.Until(p.next)
		if busy == nil && left <= 0 {
			p.probing = make(chan struct{})
			p.mu.Unlock()
			return true, nil
		}
		p.mu.Unlock()
		var pause <-chan time.Time
		if busy == nil {
			pause = time.After(left)
		}
		select {
		case <-busy:
		case <-pause:
		case <-ctx.Done():
			return false, ctx.Err()
		case <-stop.Done():
			return false, errSpoolStops
		}
	}
}

// tell says how a try ended. Those that fail together count once.
func (p *pace) tell(probe, answered bool, retry Backoff) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if answered {
		p.failures = 0
	} else if probe || p.failures == 0 {
		p.failures++
		p.next = time.Now().Add(retry.Delay(p.failures))
	}
	if probe {
		close(p.probing)
		p.probing = nil
	}
}

// spoolHeader keeps in local what local shall not act on. Its first value is
// ours; values that the sender sent follow.
const spoolHeader = "Hookhouse-Spool"

// A laidAside is the first value of that header, in JSON.
type laidAside struct {
	Coalesce  Coalesce `json:"coalesce"`
	DedupKeys []string `json:"unique,omitempty"`
}

// aside returns d as local stores it: it does not coalesce, since what local
// superseded primary would never know of, and on demand has no dedup keys.
func aside(d *Delivery, marks bool) *Delivery {
	if d.Coalesce == (Coalesce{}) && !marks && d.Header[spoolHeader] == nil {
		return d
	}
	own := *d
	what := laidAside{Coalesce: d.Coalesce}
	own.Coalesce = Coalesce{}
	if marks {
		what.DedupKeys, own.DedupKeys = d.DedupKeys, nil
	}
	text, _ := json.Marshal(what) // numbers and strings: cannot fail
	own.Header = maps.Clone(d.Header)
	if own.Header == nil {
		own.Header = make(http.Header)
	}
	own.Header[spoolHeader] = append([]string{string(text)}, d.Header[spoolHeader]...)
	return &own
}

// restored undoes aside on a claimed delivery, which is the claimer's own.
func restored(d *Delivery) *Delivery {
	var what laidAside
	values := d.Header[spoolHeader]
	if len(values) == 0 || json.Unmarshal([]byte(values[0]), &what) != nil {
		return d
	}
	d.Coalesce = what.Coalesce
	if what.DedupKeys != nil {
		d.DedupKeys = what.DedupKeys
	}
	if len(values) > 1 {
		d.Header[spoolHeader] = values[1:]
	} else if delete(d.Header, spoolHeader); len(d.Header) == 0 {
		d.Header = nil
	}
	return d
}
