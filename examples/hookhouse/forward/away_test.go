package forward_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// longAgo is a From that everything comes after.
var longAgo = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func numbers(from, to int) (all []string) {
	for n := from; n <= to; n++ {
		all = append(all, fmt.Sprint(n))
	}
	return all
}

func (s *staging) putAll(t *testing.T, keys []string) {
	t.Helper()
	for _, k := range keys {
		s.put(t, k)
	}
}

// TestStagingRestarts: what it stores while the Forwarder cannot reach it is sent, once and
// in order.
func TestStagingRestarts(t *testing.T) {
	s := newStaging(t)
	got := new(webhooktest.Recorder)
	var here host
	here.up(t, receivers(localSecret, got))
	f := s.forwarder(t, here.addr)
	f.Filter.From = longAgo
	r := start(t, f)
	s.putAll(t, numbers(1, 3))
	all := r.keys(t, 3)
	s.down()
	eventually(t, "it is noted", func() bool { return strings.Contains(r.noted(), "connection refused") })
	s.putAll(t, numbers(4, 400)) // more than a page of the list has, and an update
	s.start(t)
	all = append(all, r.keys(t, 397)...)
	s.put(t, "401")
	all = append(all, r.keys(t, 1)...)
	if d := cmp.Diff(numbers(1, 401), all); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	if d := cmp.Diff(numbers(1, 401), keysOf(got)); d != "" {
		t.Errorf("here: -want +got\n%s", d)
	}
	if strings.Count(r.noted(), "connection refused") != 1 {
		t.Errorf("notes: %q, want one for all tries", r.noted())
	}
}

// TestStagingForgetsAllWhenItRestarts: an inbox in memory begins again with Seq 1.
func TestStagingForgetsAllWhenItRestarts(t *testing.T) {
	for _, tt := range []struct {
		name  string
		from  time.Time
		after int
	}{
		{"with fewer deliveries than before", longAgo, 50}, {"with as many", longAgo, 300}, {"with more", longAgo, 600},
		{"with fewer, and the beginning is now", time.Time{}, 50}, {"with more, and the beginning is now", time.Time{}, 600},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, after := newStaging(t), tt.after
			got := new(webhooktest.Recorder)
			var here host
			here.up(t, receivers(localSecret, got))
			f := s.forwarder(t, here.addr)
			f.Filter.From = tt.from
			r := start(t, f)
			if tt.from.IsZero() {
				r.waitUntilItHasBegun(t)
			}
			const before = 300 // more than is read again of what was sent
			s.putAll(t, numbers(1, before))
			all := r.keys(t, before)
			s.down()
			s.inbox = &webhook.MemInbox{Logger: slog.New(slog.DiscardHandler)}
			s.putAll(t, numbers(before+1, before+after))
			s.start(t)
			all = append(all, r.keys(t, after)...)
			if d := cmp.Diff(numbers(1, before+after), all); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
}

// TestTheTargetIsDownAndThenUp: nothing is lost, and the order is kept.
func TestTheTargetIsDownAndThenUp(t *testing.T) {
	s := newStaging(t)
	got := new(webhooktest.Recorder)
	var here host
	here.up(t, receivers(localSecret, got))
	here.down()
	f := s.forwarder(t, here.addr)
	f.Filter.From = longAgo
	r := start(t, f)
	s.putAll(t, numbers(1, 5))
	eventually(t, "it is noted", func() bool { return strings.Contains(r.noted(), here.addr+": dial tcp") })
	s.putAll(t, numbers(6, 1200)) // more than are remembered
	here.up(t, receivers(localSecret, got))
	if d := cmp.Diff(numbers(1, 1200), r.keys(t, 1200)); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	last := keysOf(got) // a Recorder keeps the last ones
	if d := cmp.Diff(numbers(1201-len(last), 1200), last); d != "" || got.Count() != 1200 {
		t.Errorf("here: %d arrived; -want +got\n%s", got.Count(), d)
	}
	if err := r.stop(); err != nil {
		t.Error(err)
	}
}

// TestTheEndWhileTheTargetIsDown: Run returns, and not with an error.
func TestTheEndWhileTheTargetIsDown(t *testing.T) {
	s := newStaging(t)
	var here host
	here.up(t, receivers(localSecret, new(webhooktest.Recorder)))
	here.down()
	f := s.forwarder(t, here.addr)
	f.Filter.From = longAgo
	r := start(t, f)
	s.put(t, "1")
	eventually(t, "it is noted", func() bool { return strings.Contains(r.noted(), "trying again") })
	if err := r.stop(); err != nil || len(r.events) > 0 {
		t.Errorf("%v, %d events", err, len(r.events))
	}
}

// TestAReplayIsNotSentAgain: staging runs it again, and nobody called.
func TestAReplayIsNotSentAgain(t *testing.T) {
	s := newStaging(t)
	old := s.put(t, "old")
	s.putAll(t, numbers(1001, 1250)) // more than are remembered from the beginning
	s.settleAll(t)
	got := new(webhooktest.Recorder)
	var here host
	here.up(t, receivers(localSecret, got))
	r := start(t, s.forwarder(t, here.addr))
	r.waitUntilItHasBegun(t)
	uid := s.put(t, "1")
	all := r.keys(t, 1)
	s.settleAll(t)
	for _, again := range []struct{ uid, next string }{{old, "2"}, {uid, "3"}} {
		if _, err := s.inbox.Replay(t.Context(), webhook.Filter{UID: again.uid}, webhook.Note{By: "ann", Why: "again"}); err != nil {
			t.Fatal(err)
		}
		s.put(t, again.next)
		all = append(all, r.keys(t, 1)...)
	}
	if d := cmp.Diff(numbers(1, 3), all); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// settleAll ends the runs of all deliveries.
func (s *staging) settleAll(t *testing.T) {
	t.Helper()
	for {
		claims, err := s.inbox.Claim(t.Context(), webhook.ClaimOptions{N: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range claims {
			if _, err := s.inbox.Settle(t.Context(), c, webhook.Outcome{State: webhook.Done}); err != nil {
				t.Fatal(err)
			}
		}
		if len(claims) == 0 {
			return
		}
	}
}
