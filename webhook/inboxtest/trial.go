package inboxtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// short is a time that a law waits for: a lease, Quiet or a delay.
	short = 50 * time.Millisecond
	// long is a time that does not end while a law runs.
	long = time.Hour
	// waitLimit is the maximum time that a law waits for a condition.
	waitLimit = 10 * time.Second
	// checkInterval is the time between two checks of a condition.
	checkInterval = 5 * time.Millisecond
	// plenty is a number of claims that exceeds the deliveries of every law.
	plenty = 1000
)

// The source and the type of deliveries, unless a law needs others.
const (
	someSource = "alpha"
	someType   = "alpha.event"
)

// A reporter is the part of a [testing.T] that a law needs. Fatalf ends the
// goroutine.
type reporter interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// A trial is the run of one law with one inbox.
type trial struct {
	reporter
	in    webhook.Inbox
	fake  bool // whether waiting takes no real time
	count int  // of deliveries that were made
}

// delivery returns a new delivery with a new UID. It does not store it.
func (t *trial) delivery(key string, dedupKeys ...string) *webhook.Delivery {
	t.count++
	return &webhook.Delivery{
		UID:         fmt.Sprintf("uid-%04d", t.count),
		Source:      someSource,
		Type:        someType,
		OrderingKey: key,
		DedupKeys:   dedupKeys,
		Body:        []byte(`{}`),
		ReceivedAt:  time.Now(),
	}
}

// burst returns a new delivery that coalesces, with a dedup key that [trial.state]
// can use. It does not store it.
func (t *trial) burst(key string, quiet, limit time.Duration) *webhook.Delivery {
	d := t.delivery(key)
	d.DedupKeys = []string{"dedup key of " + d.UID}
	d.Coalesce = webhook.Coalesce{Quiet: quiet, Max: limit}
	return d
}

// put stores a new delivery.
func (t *trial) put(key string, dedupKeys ...string) *webhook.Delivery {
	t.Helper()
	return t.store(t.delivery(key, dedupKeys...))
}

// store puts d, which must succeed.
func (t *trial) store(d *webhook.Delivery) *webhook.Delivery {
	t.Helper()
	if err := t.in.Put(t.Context(), d); err != nil {
		t.Fatalf("Put of %s: %v", d.UID, err)
	}
	return d
}

// duplicate puts d, which must be a duplicate, and returns the error.
func (t *trial) duplicate(d *webhook.Delivery) *webhook.DuplicateError {
	t.Helper()
	err := t.in.Put(t.Context(), d)
	known, ok := errors.AsType[*webhook.DuplicateError](err)
	if !ok {
		t.Fatalf("Put of a duplicate returned %v, want a *DuplicateError", err)
	}
	return known
}

// state returns the state of d, which must have a dedup key. It puts a duplicate
// without an ID.
func (t *trial) state(d *webhook.Delivery) webhook.State {
	t.Helper()
	return t.duplicate(t.delivery("", d.DedupKeys...)).State
}

// redelivery returns a delivery with the ID, dedup keys, ordering key and Coalesce
// of d, as if the sender sent d again. It does not store it.
func (t *trial) redelivery(d *webhook.Delivery) *webhook.Delivery {
	again := t.delivery(d.OrderingKey, d.DedupKeys...)
	again.ID, again.Coalesce = d.ID, d.Coalesce
	return again
}

// dead stores a delivery with an ID and a dedup key, and settles its first claim as
// dead.
func (t *trial) dead() (*webhook.Delivery, webhook.Claim) {
	t.Helper()
	d := t.delivery("", "dedup key")
	d.ID = "id"
	t.store(d)
	c := t.claim()
	t.end(c, webhook.Dead)
	return d, c
}

// claimNow calls Claim once, which must succeed.
func (t *trial) claimNow(o webhook.ClaimOptions) []webhook.Claim {
	t.Helper()
	claims, err := t.in.Claim(t.Context(), o)
	if err != nil {
		t.Fatalf("Claim: %v", err)
	}
	return claims
}

// claimAll claims every delivery that can be claimed now.
func (t *trial) claimAll() []webhook.Claim {
	t.Helper()
	return t.claimNow(webhook.ClaimOptions{N: plenty, Lease: long})
}

// requireNoClaim requires that nothing can be claimed now, because of the reason.
func (t *trial) requireNoClaim(reason string) {
	t.Helper()
	for _, c := range t.claimAll() {
		t.Fatalf("%s was claimed, but %s", c.Delivery.UID, reason)
	}
}

// claim waits until it has claimed a delivery, with a long lease.
func (t *trial) claim() webhook.Claim {
	t.Helper()
	return t.claimFor(long)
}

// claimFor waits until it has claimed a delivery, with the given lease.
func (t *trial) claimFor(lease time.Duration) webhook.Claim {
	t.Helper()
	var claims []webhook.Claim
	t.waitUntil("a delivery can be claimed", func() bool {
		claims = t.claimNow(webhook.ClaimOptions{N: 1, Lease: lease})
		return len(claims) > 0
	})
	return claims[0]
}

// claimOf waits until it has claimed a delivery, which must be d.
func (t *trial) claimOf(d *webhook.Delivery) webhook.Claim {
	t.Helper()
	c := t.claim()
	if c.Delivery.UID != d.UID {
		t.Fatalf("%s was claimed, want %s", c.Delivery.UID, d.UID)
	}
	return c
}

// settle ends a claim, which must succeed, and returns what Settle returns.
func (t *trial) settle(c webhook.Claim, o webhook.Outcome) webhook.State {
	t.Helper()
	state, err := t.in.Settle(t.Context(), c, o)
	if err != nil {
		t.Fatalf("Settle of %s as %s: %v", c.Delivery.UID, o.State, err)
	}
	return state
}

// end settles a claim as s, with a reason as a Worker gives it.
func (t *trial) end(c webhook.Claim, s webhook.State) {
	t.Helper()
	o := webhook.Outcome{State: s}
	if s != webhook.Done {
		o.Reason = "by the law"
	}
	t.settle(c, o)
}

// release puts a claim back at once, as an attempt that does not count.
func (t *trial) release(c webhook.Claim) {
	t.Helper()
	t.settle(c, webhook.Outcome{State: webhook.Waiting, Uncounted: true})
}

// loseClaim returns a claim that is lost, and the next claim of its delivery.
func (t *trial) loseClaim() (lost, current webhook.Claim) {
	t.Helper()
	lost = t.claimFor(short)
	return lost, t.claimOf(lost.Delivery)
}

// suspect loses claims until one is suspect, which has a short lease.
func (t *trial) suspect() webhook.Claim {
	t.Helper()
	for range 3 {
		if c := t.claimFor(short); c.Suspect {
			return c
		}
	}
	t.Fatalf("not suspect after two lost claims")
	return webhook.Claim{}
}

// begin calls Begin, which must succeed.
func (t *trial) begin(c webhook.Claim) webhook.Claim {
	t.Helper()
	begun, err := t.in.Begin(t.Context(), c)
	if err != nil {
		t.Fatalf("Begin of %s: %v", c.Delivery.UID, err)
	}
	return begun
}

// waitUntil waits until the condition is true, for waitLimit at most.
func (t *trial) waitUntil(what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(waitLimit); !condition(); <-time.After(checkInterval) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v until %s", waitLimit, what)
		}
	}
}

// advance waits for d.
func (t *trial) advance(d time.Duration) { <-time.After(d) }

// uids returns the UIDs of the claims, in order.
func uids(claims []webhook.Claim) []string {
	var list []string
	for _, c := range claims {
		list = append(list, c.Delivery.UID)
	}
	return list
}
