package dbtest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestReplayRunsMatchesAgainAndRecordsIt(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		var dead []string
		for i := range 120 {
			d := put(t, in, delivery(fmt.Sprint("key", i%3), fmt.Sprint("mark", i)))
			dead = append(dead, d.UID)
			settle(t, in, claimOne(t, in), webhook.Dead)
		}
		done := put(t, in, delivery("key0"))
		settle(t, in, claimOne(t, in), webhook.Done)
		if _, err := in.Replay(t.Context(), webhook.Filter{UID: done.UID}, webhook.Note{}); err == nil {
			t.Error("Replay without a name returned no error")
		}
		for _, f := range []webhook.Filter{{}, {Limit: 10, Bodies: true}} {
			if n, err := in.Replay(t.Context(), f, webhook.Note{By: "ann"}); err == nil || n != 0 {
				t.Errorf("Replay without a filter: %d, %v; want an error", n, err)
			}
		}
		n, err := in.Replay(t.Context(), webhook.Filter{States: []webhook.State{webhook.Dead}}, webhook.Note{By: "ann", Why: "fixed"})
		if err != nil || n != 120 {
			t.Fatalf("Replay: %d, %v; want 120", n, err)
		}
		var order []string
		for len(order) < 120 {
			c := claimOne(t, in)
			if c.Attempt != 1 || c.Fence != 2 {
				t.Fatalf("attempt %d, fence %d; want 1 and 2", c.Attempt, c.Fence)
			}
			order = append(order, c.Delivery.UID)
			settle(t, in, c, webhook.Done)
		}
		if diff := cmp.Diff(dead, order); diff != "" {
			t.Errorf("not in order (-want +got):\n%s", diff)
		}
		r, err := in.Get(t.Context(), dead[0])
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Replays) != 1 || r.Replays[0].By != "ann" || r.Replays[0].Why != "fixed" || r.Replays[0].Was != webhook.Dead || r.Replays[0].At.IsZero() {
			t.Errorf("replays are %+v", r.Replays)
		}
		// One by name, whatever final state it has; not one that is under way.
		note := webhook.Note{By: "ann"}
		if n, err := in.Replay(t.Context(), webhook.Filter{UID: done.UID}, note); n != 1 || err != nil {
			t.Errorf("Replay of one: %d, %v", n, err)
		}
		if n, err := in.Replay(t.Context(), webhook.Filter{UID: done.UID}, note); n != 0 || !errors.Is(err, webhook.ErrState) {
			t.Errorf("Replay of a waiting one: %d, %v; want ErrState", n, err)
		}
		if n, err := in.Replay(t.Context(), webhook.Filter{UID: "nobody"}, note); n != 0 || !errors.Is(err, webhook.ErrNotFound) {
			t.Errorf("Replay of an unknown UID: %d, %v; want ErrNotFound", n, err)
		}
	})
}

// A build of an older image must not replace that of a newer one.
func TestReplayDoesNotOvertakeANewerDeliveryOfTheBurst(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		note := webhook.Note{By: "ann"}
		burst := func() *webhook.Delivery {
			d := delivery("app:latest")
			d.Coalesce = webhook.Coalesce{Quiet: time.Microsecond}
			return put(t, in, d)
		}
		soon := func() webhook.Claim {
			var claims []webhook.Claim
			waitFor(t, "a delivery is due", func() bool { claims = claim(t, in, 1); return len(claims) == 1 })
			return claims[0]
		}
		older := burst()
		settle(t, in, soon(), webhook.Dead)
		newer := burst()
		if n, err := in.Replay(t.Context(), webhook.Filter{UID: older.UID}, note); n != 0 || !errors.Is(err, webhook.ErrState) {
			t.Errorf("Replay while a younger one waits: %d, %v; want ErrState", n, err)
		}
		if n, err := in.Replay(t.Context(), webhook.Filter{States: []webhook.State{webhook.Dead}}, note); n != 0 || err != nil {
			t.Errorf("Replay of all: %d, %v; want none", n, err)
		}
		c := soon()
		if n, err := in.Replay(t.Context(), webhook.Filter{UID: older.UID}, note); n != 0 || !errors.Is(err, webhook.ErrState) {
			t.Errorf("Replay while a younger one runs: %d, %v; want ErrState", n, err)
		}
		if c.Delivery.UID != newer.UID {
			t.Errorf("%s runs, want the newer one", c.Delivery.UID)
		}
		settle(t, in, c, webhook.Done)
		// A person may go back once nothing younger is under way, and forward again.
		for _, d := range []*webhook.Delivery{older, newer} {
			if n, err := in.Replay(t.Context(), webhook.Filter{UID: d.UID}, note); n != 1 || err != nil {
				t.Fatalf("Replay: %d, %v", n, err)
			}
		}
		if c := soon(); c.Delivery.UID != newer.UID {
			t.Errorf("%s runs, want the newer one", c.Delivery.UID)
		}
		if s := stateOf(t, in, older.UID); s != webhook.Superseded {
			t.Errorf("the older one is %s, want superseded", s)
		}
	})
}

func TestReleaseMakesADeliveryDueNow(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		d, behind := put(t, in, delivery("key")), put(t, in, delivery("key"))
		c := claimOne(t, in)
		if _, err := in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Waiting, Delay: time.Hour}); err != nil {
			t.Fatal(err)
		}
		if claims := claim(t, in, 5); len(claims) != 0 {
			t.Fatalf("%d claims before Release", len(claims))
		}
		if err := in.Release(t.Context(), d.UID); err != nil {
			t.Fatal(err)
		}
		c = claimOne(t, in)
		if err := in.Release(t.Context(), d.UID); err != nil {
			t.Fatal(err)
		}
		if _, err := in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Done}); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Settle by the former owner returned %v, want ErrClaimLost", err)
		}
		settle(t, in, claimOne(t, in), webhook.Done)
		for uid, want := range map[string]error{d.UID: webhook.ErrState, "nobody": webhook.ErrNotFound} {
			if err := in.Release(t.Context(), uid); !errors.Is(err, want) {
				t.Errorf("Release of %s returned %v, want %v", uid, err, want)
			}
		}
		put(t, in, delivery("key"))
		if s := stateOf(t, in, behind.UID); s != webhook.Waiting {
			t.Errorf("the next is %s, want waiting", s)
		}
	})
}

func TestSkipStaleIgnoresDeliveriesOlderThanADoneOne(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		older := delivery("main")
		older.ReceivedAt = older.ReceivedAt.Add(time.Hour) // by a clock that was ahead
		put(t, in, older)
		settle(t, in, claimOne(t, in), webhook.Dead)
		newer := put(t, in, delivery("main"))
		settle(t, in, claimOne(t, in), webhook.Done)
		newest := put(t, in, delivery("main"))
		if _, err := in.Replay(t.Context(), webhook.Filter{UID: older.UID}, webhook.Note{By: "ann"}); err != nil {
			t.Fatal(err) // its place is the last one now
		}
		var handled []string
		h := in.SkipStale(typeRecorder{&handled})
		for _, d := range []*webhook.Delivery{older, newer, newest, delivery("main"), put(t, in, delivery(""))} {
			err := h.Handle(t.Context(), d)
			if stale := d == older; stale != errors.Is(err, webhook.ErrIgnored) || !stale && err != nil {
				t.Errorf("%s: %v", d.UID, err)
			}
		}
		if len(handled) != 4 {
			t.Errorf("handled %v", handled)
		}
		if diff := cmp.Diff([]string{"alpha.push"}, h.(webhook.Router).Types()); diff != "" {
			t.Error(diff)
		}
	})
}

type typeRecorder struct{ handled *[]string }

func (r typeRecorder) Types() []string { return []string{"alpha.push"} }

func (r typeRecorder) Handle(_ context.Context, d *webhook.Delivery) error {
	*r.handled = append(*r.handled, d.UID)
	return nil
}
