package webhook_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// A claimLog records each Claim as "types: N", with the first letter and the last of
// each type. The fail func may make one fail.
type claimLog struct {
	webhook.Inbox
	fail func(call string) error

	mu    sync.Mutex
	calls []string
}

func (in *claimLog) Claim(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
	var names []string
	for _, typ := range o.Types {
		names = append(names, typ[:1]+typ[len(typ)-1:])
	}
	slices.Sort(names)
	call := fmt.Sprintf("%s: %d", strings.Join(names, " "), o.N)
	in.mu.Lock()
	in.calls = append(in.calls, call)
	in.mu.Unlock()
	if in.fail != nil {
		if err := in.fail(call); err != nil {
			return nil, err
		}
	}
	return in.Inbox.Claim(ctx, o)
}

// take returns the calls since the last take.
func (in *claimLog) take() []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	calls := in.calls
	in.calls = nil
	return calls
}

func TestClaimsAskForTypesThatHaveRoom(t *testing.T) {
	synctestRun(t, "one call asks for all of them, and further ones for those with more room if there may be more", func(t *testing.T) {
		mem := &webhook.MemInbox{}
		in := &claimLog{Inbox: mem}
		w, _ := newBoundWorker(in, bySpeed)
		putEach(t, mem, 2, "slow.a", "slow.b", "fast.a")
		stop := start(t, w)
		advance(0)
		want := []string{
			"fa fb sa sb: 1", // the oldest of all, since slow.a has room for one: slow.a
			"fa fb sb: 2",    // slow.b has room for two: slow.b, fast.a
			"fa fb: 5",       // the types without slots of their own: fast.a
			"fa fb sb: 1",    // again the oldest of all, since those with less room were left out: slow.b
			"fa fb: 3",       // none
			"fa fb: 3",       // none: no type with a free slot is left out
		}
		if diff := cmp.Diff(want, in.take()); diff != "" {
			t.Errorf("Claims (-want +got):\n%s", diff)
		}
		advance(59 * time.Minute)
		stop()
	})
	synctestRun(t, "an idle Worker makes one call in each PollInterval", func(t *testing.T) {
		in := &claimLog{Inbox: &webhook.MemInbox{}}
		w, _ := newBoundWorker(in, bySpeed)
		w.PollInterval = time.Second
		stop := start(t, w)
		advance(time.Minute)
		calls := in.take()
		if diff := cmp.Diff([]string{"fa fb sa sb: 1"}, slices.Compact(calls)); diff != "" || len(calls) != 61 {
			t.Errorf("%d Claims, want 61; (-want +got):\n%s", len(calls), diff)
		}
		stop()
	})
	synctestRun(t, "no call is made while each type is full", func(t *testing.T) {
		mem := &webhook.MemInbox{}
		in := &claimLog{Inbox: mem}
		w, g := newBoundWorker(in, bySpeed)
		w.PollInterval = time.Second
		w.Types["fast.a"], w.Types["fast.b"] = webhook.Policy{Concurrency: 1}, webhook.Policy{Concurrency: 1}
		w.Concurrency = 100
		putEach(t, mem, 3, "slow.a", "slow.b")
		putDelivery(t, mem, "fast", func(d *webhook.Delivery) { d.Type = "fast.a" })
		putDelivery(t, mem, "fast too", func(d *webhook.Delivery) { d.Type = "fast.b" })
		stop := start(t, w)
		advance(100 * time.Millisecond)
		in.take()
		advance(800 * time.Millisecond)
		if got := in.take(); len(got) != 0 {
			t.Errorf("Claims %v while each type is full", got)
		}
		advance(10 * time.Minute)
		stop()
		if got := g.order(); len(got) != 8 {
			t.Errorf("%v ran, want 8", got)
		}
	})
	synctestRun(t, "a failed call stops neither the attempts in progress nor the other types", func(t *testing.T) {
		mem := &webhook.MemInbox{}
		down := true
		in := &claimLog{Inbox: mem, fail: func(call string) error {
			if down && strings.HasPrefix(call, "fa fb: ") {
				return errBoom
			}
			return nil
		}}
		w, g := newBoundWorker(in, bySpeed)
		w.PollInterval = time.Second
		putEach(t, mem, 3, "slow.a", "fast.a")
		stop := start(t, w)
		advance(time.Hour)
		if got := g.order(); len(got) != 6 {
			t.Errorf("%v ran, want all, by the calls for all types", got)
		}
		stop()
		if g.max["slow.a"] != 1 {
			t.Errorf("%d at once, want 1", g.max["slow.a"])
		}
	})
}

func TestSuspectOfATypeStopsFurtherClaims(t *testing.T) {
	synctestRun(t, "nothing of the other types is claimed before it has run alone", func(t *testing.T) {
		mem := &webhook.MemInbox{}
		putDelivery(t, mem, "suspect", typed("slow.a"))
		for range 2 {
			if _, err := mem.Claim(t.Context(), webhook.ClaimOptions{Lease: time.Second}); err != nil {
				t.Fatal(err)
			}
			advance(2 * time.Second)
		}
		in := &claimLog{Inbox: mem}
		w, g := newBoundWorker(in, bySpeed)
		putEach(t, mem, 3, "fast.a")
		stop := start(t, w)
		advance(59 * time.Second)
		if diff := cmp.Diff([]string{"fa fb sa sb: 1"}, in.take()); diff != "" {
			t.Errorf("Claims (-want +got):\n%s", diff)
		}
		advance(time.Minute)
		stop()
		if got := g.order(); len(got) != 4 || got[0] != "suspect" {
			t.Errorf("ran in the order %v, want the suspect first of 4", got)
		}
	})
}

func TestShutdownWhileATypeIsFull(t *testing.T) {
	synctestRun(t, "what waits for a slot of its type was never claimed", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, g := newBoundWorker(in, func(context.Context, *webhook.Delivery) error { work(5 * time.Second); return nil })
		w.Types["fast.a"], w.Types["fast.b"] = webhook.Policy{Concurrency: 1}, webhook.Policy{Concurrency: 1}
		putEach(t, in, 2, "slow.a")
		stop := start(t, w)
		advance(time.Second)
		begun := time.Now()
		stop()
		if took := time.Since(begun); took != 4*time.Second {
			t.Errorf("Run returned after %v, want 4 s", took)
		}
		if diff := cmp.Diff([]string{"slow.a0"}, g.order()); diff != "" {
			t.Errorf("ran (-want +got):\n%s", diff)
		}
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{})
		if err != nil || len(claims) != 1 || claims[0].Attempt != 1 {
			t.Errorf("Claim = %v, %v, want the first attempt of slow.a1", claims, err)
		}
	})
}

func TestTypeWhoseSlotsAreAllOverdueIsLogged(t *testing.T) {
	synctestRun(t, "once", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, _, release := hang()
		w, _ := newBoundWorker(in, h.Handle)
		var log bytes.Buffer
		w.Logger = slog.New(slog.NewTextHandler(&log, nil))
		w.Types = map[string]webhook.Policy{"slow.b": {Concurrency: 2, Timeout: time.Minute, MaxAttempts: 1}}
		putDelivery(t, in, "hang", typed("slow.b"))
		putDelivery(t, in, "hang too", typed("slow.b"))
		stop := start(t, w)
		advance(10 * time.Hour)
		release(2)
		advance(time.Hour)
		stop()
		const line = `msg="overdue callbacks hold all slots of their type, and no more of it is claimed" type=slow.b slots=2`
		if got := strings.Count(log.String(), line); got != 1 {
			t.Errorf("%d lines, want one:\n%s", got, log.String())
		}
	})
}
