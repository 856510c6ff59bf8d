package main

import (
	"context"
	"errors"
	"iter"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// A flakyInbox fails a number of times, and counts what it yields.
type flakyInbox struct {
	webhook.Admin
	failures int
	yielded  int
}

var errAway = errors.New("the database is away")

func (in *flakyInbox) All(ctx context.Context, f webhook.Filter) iter.Seq2[webhook.Record, error] {
	return func(yield func(webhook.Record, error) bool) {
		if in.failures > 0 {
			in.failures--
			yield(webhook.Record{}, errAway)
			return
		}
		for r, err := range in.Admin.All(ctx, f) {
			in.yielded++
			if !yield(r, err) {
				return
			}
		}
	}
}

func TestLookFindsLaterWhatItMissedByAnError(t *testing.T) {
	onEachDatabase(t, testLookFindsLaterWhatItMissedByAnError)
}

func testLookFindsLaterWhatItMissedByAnError(t *testing.T, r *rig) {
	in := &flakyInbox{Admin: r.inbox}
	tr := newTailer(in, webhook.Filter{})
	if err := tr.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	uid := r.put(t, "github.push", "a")
	in.failures = 1
	if _, err := tr.look(t.Context()); !errors.Is(err, errAway) {
		t.Fatalf("error %v, want %v", err, errAway)
	}
	changed, err := tr.look(t.Context())
	if err != nil || len(changed) != 1 || changed[0].Delivery.UID != uid {
		t.Errorf("found %v, %v, want %s", changed, err, uid)
	}
}

func TestLookReadsABoundedNumber(t *testing.T) { onEachDatabase(t, testLookReadsABoundedNumber) }

func testLookReadsABoundedNumber(t *testing.T, r *rig) {
	for range tailWindow + 400 {
		r.put(t, "github.push", "")
	}
	in := &flakyInbox{Admin: r.inbox}
	tr := newTailer(in, webhook.Filter{Type: "jobserv.build"})
	if err := tr.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		in.yielded = 0
		if changed, err := tr.look(t.Context()); err != nil || len(changed) > 0 {
			t.Errorf("found %v, %v", changed, err)
		}
		if limit := tailWindow + 1 + tailLookups; in.yielded > limit {
			t.Errorf("read %d deliveries, want at most %d", in.yielded, limit)
		}
	}
}
