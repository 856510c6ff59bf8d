package dbtest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

func TestReplayRunsWhatMatchesAgainAndRecordsIt(t *testing.T) {
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
		if _, err := in.Replay(t.Context(), sqlinbox.Filter{}, sqlinbox.Note{}); err == nil {
			t.Error("Replay by nobody returned no error")
		}
		n, err := in.Replay(t.Context(), sqlinbox.Filter{States: []webhook.State{webhook.Dead}}, sqlinbox.Note{By: "ann", Why: "fixed"})
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
		note := sqlinbox.Note{By: "ann"}
		if n, err := in.Replay(t.Context(), sqlinbox.Filter{UID: done.UID}, note); n != 1 || err != nil {
			t.Errorf("Replay of one: %d, %v", n, err)
		}
		if n, err := in.Replay(t.Context(), sqlinbox.Filter{UID: done.UID}, note); n != 0 || !errors.Is(err, sqlinbox.ErrState) {
			t.Errorf("Replay of a waiting one: %d, %v; want ErrState", n, err)
		}
		if n, err := in.Replay(t.Context(), sqlinbox.Filter{UID: "nobody"}, note); n != 0 || !errors.Is(err, sqlinbox.ErrNotFound) {
			t.Errorf("Replay of nobody: %d, %v; want ErrNotFound", n, err)
		}
	})
}

func TestReleaseMakesDueNow(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		d, behind := put(t, in, delivery("key")), put(t, in, delivery("key"))
		c := claimOne(t, in)
		if err := in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Waiting, Delay: time.Hour}); err != nil {
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
		if err := in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Done}); !errors.Is(err, webhook.ErrClaimLost) {
			t.Errorf("Settle by the former owner returned %v, want ErrClaimLost", err)
		}
		settle(t, in, claimOne(t, in), webhook.Done)
		for uid, want := range map[string]error{d.UID: sqlinbox.ErrState, "nobody": sqlinbox.ErrNotFound} {
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

func TestSkipStaleIgnoresWhatIsOlderThanWhatIsDone(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		older := delivery("main")
		older.ReceivedAt = older.ReceivedAt.Add(-time.Minute)
		put(t, in, older)
		settle(t, in, claimOne(t, in), webhook.Dead)
		newer := put(t, in, delivery("main"))
		settle(t, in, claimOne(t, in), webhook.Done)
		var handled []string
		h := in.SkipStale(recorder{&handled})
		for _, d := range []*webhook.Delivery{older, newer, delivery("main"), delivery("")} {
			err := h.Handle(t.Context(), d)
			if stale := d == older; stale != errors.Is(err, webhook.ErrIgnored) || !stale && err != nil {
				t.Errorf("%s: %v", d.UID, err)
			}
		}
		if len(handled) != 3 {
			t.Errorf("handled %v", handled)
		}
		if diff := cmp.Diff([]string{"alpha.push"}, h.(webhook.Router).Types()); diff != "" {
			t.Error(diff)
		}
	})
}

type recorder struct{ handled *[]string }

func (r recorder) Types() []string { return []string{"alpha.push"} }

func (r recorder) Handle(_ context.Context, d *webhook.Delivery) error {
	*r.handled = append(*r.handled, d.UID)
	return nil
}
