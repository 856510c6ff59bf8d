package inboxtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// short is a lease or a quiet window that a law lets pass.
	short = 50 * time.Millisecond
	// long is one that does not pass while a law runs.
	long = time.Hour
	// patience is how long what should come may take.
	patience = 10 * time.Second
	// step is the time between two looks.
	step = 5 * time.Millisecond
	// plenty is more than any law stores.
	plenty = 1000
)

// The source and the type of deliveries where a law does not care.
const (
	someSource = "alpha"
	someType   = "alpha.event"
)

// A reporter is what a law needs of a [testing.T]; Fatalf ends the goroutine.
type reporter interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// A trial is one law at work on one inbox.
type trial struct {
	reporter
	in    webhook.Inbox
	fake  bool // time passes at once
	count int  // deliveries made
}

// delivery makes one with a UID of its own, not stored yet.
func (t *trial) delivery(key string, marks ...string) *webhook.Delivery {
	t.count++
	return &webhook.Delivery{
		UID:         fmt.Sprintf("uid-%04d", t.count),
		Source:      someSource,
		Type:        someType,
		OrderingKey: key,
		DedupKeys:   marks,
		Body:        []byte(`{}`),
		ReceivedAt:  time.Now(),
	}
}

// burst makes a delivery that coalesces, with a dedup key by which its state
// can be asked for.
func (t *trial) burst(key string, quiet, most time.Duration) *webhook.Delivery {
	d := t.delivery(key)
	d.DedupKeys = []string{"dedup key of " + d.UID}
	d.Coalesce = webhook.Coalesce{Quiet: quiet, Max: most}
	return d
}

// put makes a delivery and stores it.
func (t *trial) put(key string, marks ...string) *webhook.Delivery {
	t.Helper()
	return t.store(t.delivery(key, marks...))
}

func (t *trial) store(d *webhook.Delivery) *webhook.Delivery {
	t.Helper()
	if err := t.in.Put(t.Context(), d); err != nil {
		t.Fatalf("Put of %s: %v", d.UID, err)
	}
	return d
}

// duplicate puts d, which must be one, and returns what the inbox says of the
// first.
func (t *trial) duplicate(d *webhook.Delivery) *webhook.DuplicateError {
	t.Helper()
	err := t.in.Put(t.Context(), d)
	var known *webhook.DuplicateError
	if !errors.As(err, &known) {
		t.Fatalf("Put of a duplicate returned %v, want a *DuplicateError", err)
	}
	return known
}

// state asks where d stands, by a put that repeats its dedup keys and has no
// ID.
func (t *trial) state(d *webhook.Delivery) webhook.State {
	t.Helper()
	return t.duplicate(t.delivery("", d.DedupKeys...)).State
}

// redelivery makes what a sender sends again: same ID, dedup keys, ordering key
// and Coalesce.
func (t *trial) redelivery(d *webhook.Delivery) *webhook.Delivery {
	again := t.delivery(d.OrderingKey, d.DedupKeys...)
	again.ID, again.Coalesce = d.ID, d.Coalesce
	return again
}

// dead stores a delivery with an ID and lets it die in its first run.
func (t *trial) dead() (*webhook.Delivery, webhook.Claim) {
	t.Helper()
	d := t.delivery("", "mark")
	d.ID = "id"
	t.store(d)
	c := t.claim()
	t.end(c, webhook.Dead)
	return d, c
}

// now claims once, up to n.
func (t *trial) now(o webhook.ClaimOptions) []webhook.Claim {
	t.Helper()
	claims, err := t.in.Claim(t.Context(), o)
	if err != nil {
		t.Fatalf("Claim: %v", err)
	}
	return claims
}

// all claims what can be claimed at this moment.
func (t *trial) all() []webhook.Claim {
	t.Helper()
	return t.now(webhook.ClaimOptions{N: plenty, Lease: long})
}

// nothing demands that nothing can be claimed at this moment.
func (t *trial) nothing(why string) {
	t.Helper()
	for _, c := range t.all() {
		t.Fatalf("%s was claimed: %s", c.Delivery.UID, why)
	}
}

// claim waits for one delivery under a long lease.
func (t *trial) claim() webhook.Claim {
	t.Helper()
	return t.claimFor(long)
}

func (t *trial) claimFor(lease time.Duration) webhook.Claim {
	t.Helper()
	var claims []webhook.Claim
	t.until("a delivery can be claimed", func() bool {
		claims = t.now(webhook.ClaimOptions{N: 1, Lease: lease})
		return len(claims) > 0
	})
	return claims[0]
}

// claimOf waits for one delivery, which must be d.
func (t *trial) claimOf(d *webhook.Delivery) webhook.Claim {
	t.Helper()
	c := t.claim()
	if c.Delivery.UID != d.UID {
		t.Fatalf("%s was claimed, want %s", c.Delivery.UID, d.UID)
	}
	return c
}

// settle ends a claim and returns what the inbox says came of it.
func (t *trial) settle(c webhook.Claim, o webhook.Outcome) webhook.State {
	t.Helper()
	came, err := t.in.Settle(t.Context(), c, o)
	if err != nil {
		t.Fatalf("Settle of %s as %s: %v", c.Delivery.UID, o.State, err)
	}
	return came
}

func (t *trial) end(c webhook.Claim, s webhook.State) {
	t.Helper()
	o := webhook.Outcome{State: s}
	if s != webhook.Done { // which a Worker gives no reason for
		o.Reason = "by the law"
	}
	t.settle(c, o)
}

// release gives a claim back at once, uncounted.
func (t *trial) release(c webhook.Claim) {
	t.Helper()
	t.settle(c, webhook.Outcome{State: webhook.Waiting, Uncounted: true})
}

// lost returns a claim that was lost and the one that followed it.
func (t *trial) lost() (old, held webhook.Claim) {
	t.Helper()
	old = t.claimFor(short)
	return old, t.claimOf(old.Delivery)
}

// suspect loses claims until there is one that is suspect, under a short lease.
func (t *trial) suspect() webhook.Claim {
	t.Helper()
	for range 3 {
		if c := t.claimFor(short); c.Suspect {
			return c
		}
	}
	t.Fatalf("not suspect after two claims were lost")
	return webhook.Claim{}
}

func (t *trial) begin(c webhook.Claim) webhook.Claim {
	t.Helper()
	begun, err := t.in.Begin(t.Context(), c)
	if err != nil {
		t.Fatalf("Begin of %s: %v", c.Delivery.UID, err)
	}
	return begun
}

// until waits for a condition, with patience.
func (t *trial) until(what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); <-time.After(step) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v in vain until %s", patience, what)
		}
	}
}

// pass lets time pass.
func (t *trial) pass(d time.Duration) { <-time.After(d) }

// uids names what was claimed, in order.
func uids(claims []webhook.Claim) []string {
	var names []string
	for _, c := range claims {
		names = append(names, c.Delivery.UID)
	}
	return names
}
