package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// sendTimeout bounds one attempt at telling a target.
const sendTimeout = 30 * time.Second

// A target is told. Where it is told twice by the same id, it should tell people
// once: an attempt may have succeeded without an answer.
type target interface {
	// name is that of one target, and of no other one of its kind.
	name() string
	// kind is one of kinds.
	kind() string
	// send's error is tried again, unless it is webhook.Permanent: what the target
	// said of this very notice, and would say again.
	send(ctx context.Context, id string, n notice) error
}

// kinds are those that there are.
var kinds = []string{"slack", "mail", "url"}

// noticeType is the type of what is stored for targets of a kind.
func noticeType(kind string) string { return "notify." + kind }

// An errand is what is stored: a notice and the name of the target to be told.
type errand struct {
	Target string `json:"target"`
	Notice notice `json:"notice"`
}

// A teller runs errands.
type teller struct {
	store   *store
	targets []target
	hold    time.Duration // how long one that fails holds up those after it
	retry   webhook.Backoff
}

// worker works off what is stored for the targets of a kind, those included that
// are no longer there. Each kind has one, so that calls that hang keep no other
// kind waiting.
func (t *teller) worker(kind string) *webhook.Worker {
	var mux webhook.Mux
	mux.Route(noticeType(kind), webhook.Timeout(sendTimeout, webhook.HandlerFunc(t.tell)))
	w := webhook.NewWorker(t.store, &mux)
	w.RetryOutOfOrder = true
	return w
}

// tell tells one target.
func (t *teller) tell(ctx context.Context, d *webhook.Delivery) error {
	var e errand
	if err := json.Unmarshal(d.Body, &e); err != nil {
		return fmt.Errorf("%w: %w", webhook.ErrMalformed, err)
	}
	for _, to := range t.targets {
		if to.name() != e.Target {
			continue
		}
		if err := t.inTurn(ctx, d); err != nil {
			return err
		}
		late, err := t.store.Stale(ctx, d)
		if err != nil {
			return err
		}
		e.Notice.Late = late
		return to.send(ctx, d.UID, e.Notice)
	}
	return fmt.Errorf("%w: there is no target %q any more", webhook.ErrIgnored, e.Target)
}

// errNotYet ends an attempt before the target was asked.
var errNotYet = errors.New("an older notice is tried first")

// inTurn keeps notices of a site in order at a target, as far as that is of use:
// one that fails holds up those after it for some time, since a target that is
// down would not take them either and nobody should read of a recovery before
// the failure. Then they pass it, since the fault may lie in that one notice.
// The worker lets them run while it waits for its retry; whether they may go on
// is decided here.
func (t *teller) inTurn(ctx context.Context, d *webhook.Delivery) error {
	unfinished := webhook.Filter{
		Source: d.Source, OrderingKey: d.OrderingKey, States: []webhook.State{webhook.Waiting, webhook.Blocked, webhook.Claimed},
	}
	older := false
	for r, err := range t.store.All(ctx, unfinished) { // newest first
		switch {
		case err != nil:
			return err
		case r.Delivery.UID == d.UID:
			older = true
		case older:
			if left := t.hold - time.Since(r.Delivery.ReceivedAt); left > 0 {
				claim, _ := webhook.ClaimFromContext(ctx)
				return webhook.RetryAfter(t.pause(left, claim.Attempt), errNotYet)
			}
		}
	}
	return nil
}

// pause is how long a notice waits that is held for what is left of the hold: not
// beyond that, nor long after the older one may have got through. Each wait costs
// it an attempt, and a hold, which is an hour at most, some thirty of them.
func (t *teller) pause(left time.Duration, attempt int) time.Duration {
	return min(left, t.retry.Delay(attempt), t.hold/20)
}
