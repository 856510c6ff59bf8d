package ledger

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A broken inbox breaks one promise.
type broken struct {
	*sqlinbox.Inbox
	put    func(ctx context.Context, in *sqlinbox.Inbox, d *webhook.Delivery) error
	settle func(ctx context.Context, in *sqlinbox.Inbox, c webhook.Claim, o webhook.Outcome) (webhook.State, error)
}

func (b *broken) Put(ctx context.Context, d *webhook.Delivery) error {
	if b.put == nil {
		return b.Inbox.Put(ctx, d)
	}
	return b.put(ctx, b.Inbox, d)
}

func (b *broken) Settle(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
	if b.settle == nil {
		return b.Inbox.Settle(ctx, c, o)
	}
	return b.settle(ctx, b.Inbox, c, o)
}

// A nth is true each n-th time.
type nth struct {
	n     int64
	count atomic.Int64
}

func (e *nth) now() bool { return e.count.Add(1)%e.n == 0 }

func TestTheLedgerFindsABrokenPromise(t *testing.T) {
	const few, many = 300, 1500
	once := func() *nth { return &nth{n: few / 2} }
	for _, test := range []struct {
		name   string
		sent   int
		broken *broken
		finds  string
	}{
		{"one is acknowledged and not stored", few, forgetful(once()), "was acknowledged and lost"},
		{"one is stored and said to be a duplicate", few, modest(once()), "was stored 0 times"},
		{"one runs twice", few, forgetsSettlement(once()), "was run twice"},
		{"one that is dead is done", few, merciful(), "by the ledger dead"},
		{"duplicates are stored", few, withoutMarks(), "was stored 2 times"},
		{"keys are not heeded", many, withoutKeys(), "ran before one that was there before it"},
		{"bursts are not coalesced", few, withoutCoalescing(), "no delivery of a burst was superseded"},
	} {
		t.Run(test.name, func(t *testing.T) {
			tr := newTrial(t, newSQLite(t))
			test.broken.Inbox = tr.inbox
			tr.used = test.broken
			tr.run(t, test.sent)
			if !slices.ContainsFunc(tr.faults.all, func(fault string) bool { return strings.Contains(fault, test.finds) }) {
				t.Errorf("the ledger does not find it, but: %v", tr.faults)
			}
		})
	}
}

func forgetful(now *nth) *broken {
	return &broken{put: func(ctx context.Context, in *sqlinbox.Inbox, d *webhook.Delivery) error {
		if d.Coalesce.Quiet == 0 && now.now() {
			return nil
		}
		return in.Put(ctx, d)
	}}
}

func modest(now *nth) *broken {
	return &broken{put: func(ctx context.Context, in *sqlinbox.Inbox, d *webhook.Delivery) error {
		err := in.Put(ctx, d)
		if err == nil && now.now() {
			return &webhook.DuplicateError{UID: "another", State: webhook.Done}
		}
		return err
	}}
}

func forgetsSettlement(now *nth) *broken {
	return &broken{settle: func(ctx context.Context, in *sqlinbox.Inbox, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
		if o.State == webhook.Done && now.now() {
			o.State = webhook.Waiting
		}
		return in.Settle(ctx, c, o)
	}}
}

func merciful() *broken {
	return &broken{settle: func(ctx context.Context, in *sqlinbox.Inbox, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
		if o.State == webhook.Dead {
			o.State = webhook.Done
		}
		return in.Settle(ctx, c, o)
	}}
}

// spoiling stores each delivery as spoil leaves its copy.
func spoiling(spoil func(d *webhook.Delivery)) *broken {
	return &broken{put: func(ctx context.Context, in *sqlinbox.Inbox, d *webhook.Delivery) error {
		own := *d
		spoil(&own)
		return in.Put(ctx, &own)
	}}
}

func withoutMarks() *broken { return spoiling(func(d *webhook.Delivery) { d.DedupKeys = nil }) }
func withoutKeys() *broken  { return spoiling(func(d *webhook.Delivery) { d.OrderingKey = "" }) }

func withoutCoalescing() *broken {
	return spoiling(func(d *webhook.Delivery) { d.Coalesce = webhook.Coalesce{} })
}
