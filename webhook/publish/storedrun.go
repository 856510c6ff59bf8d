package publish

import (
	"context"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// number returns the number of the attempt: that of the run, without those since the last
// replay that were lost because their process ended.
func (p *Publisher) number(ctx context.Context, uid string) (int, error) {
	run := claimed(ctx)
	if run == 1 || p.admin == nil {
		return run, nil
	}
	r, err := p.stored(ctx, uid)
	if err != nil {
		return 0, err
	}
	since := lastReplay(r)
	lost := 0
	for _, a := range r.Attempts {
		if a.Lost && !a.At.Before(since) {
			lost++
		}
	}
	return max(run-lost, 1), nil
}

// stored returns a delivery as the outbox, which must be a webhook.Admin, has it.
func (p *Publisher) stored(ctx context.Context, uid string) (webhook.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return p.admin.Get(ctx, uid)
}

// replayed returns when a delivery was replayed last, zero if never.
func (p *Publisher) replayed(ctx context.Context, uid string) (time.Time, error) {
	r, err := p.stored(ctx, uid)
	return lastReplay(r), err
}

func lastReplay(r webhook.Record) time.Time {
	if n := len(r.Replays); n > 0 {
		return r.Replays[n-1].At
	}
	return time.Time{}
}

// expired reports whether the event has waited for as long as it may: since it was published,
// or since it was sent again. While that cannot be read, it waits.
func (t *try) expired(ctx context.Context) bool {
	tooOld := func(since time.Time) bool { return time.Since(since) >= t.p.retention() }
	if !tooOld(t.d.ReceivedAt) || !tooOld(t.m.resent) {
		return false
	}
	if t.p.admin == nil {
		return true
	}
	replayed, err := t.p.replayed(ctx, t.d.UID)
	if err != nil {
		t.p.faults.log(t.p.logger(), "when a delivery was sent again cannot be read", err)
		return false
	}
	return tooOld(replayed)
}
