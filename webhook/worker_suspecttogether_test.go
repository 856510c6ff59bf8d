package webhook_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestSuspectsRunTogether(t *testing.T) {
	synctestRun(t, "one that hangs holds up neither the other suspects nor what is claimed later", func(t *testing.T) {
		in := &webhook.MemInbox{}
		suspects(t, in, "hang", "other")
		putDelivery(t, in, "fresh", nil)
		release := make(chan struct{})
		h, ran := recorded(func(ctx context.Context, d *webhook.Delivery) error {
			if string(d.Body) != "{}" {
				t.Errorf("%s has the body %q", d.UID, d.Body)
			}
			if d.UID == "hang" {
				<-release
			}
			return nil
		})
		w, _ := newTestWorker(in, h)
		w.SuspectsRunTogether = true
		stop := start(t, w)
		advance(time.Second)
		putDelivery(t, in, "new", nil)
		advance(time.Second)
		got := map[string]bool{}
		for _, uid := range ran() {
			got[uid] = true
		}
		if diff := cmp.Diff(map[string]bool{"hang": true, "other": true, "fresh": true, "new": true}, got); diff != "" {
			t.Errorf("ran (-want +got):\n%s", diff)
		}
		if got := w.Health().Suspects; got != 0 {
			t.Errorf("%d suspects wait, want none", got)
		}
		close(release)
		advance(time.Second)
		stop()
	})
	synctestRun(t, "those that have ended the process MaxAttempts times are dead all the same", func(t *testing.T) {
		in := &webhook.MemInbox{}
		suspects(t, in, "a")
		for range 2 { // as two more processes
			claims, err := in.Claim(t.Context(), webhook.ClaimOptions{Lease: time.Second})
			if err != nil || len(claims) != 1 {
				t.Fatal(claims, err)
			}
			if _, err := in.Begin(t.Context(), claims[0]); err != nil {
				t.Fatal(err)
			}
			advance(2 * time.Second)
		}
		h, ran := recorded(succeed)
		w, j := newTestWorker(in, h)
		w.SuspectsRunTogether, w.MaxAttempts = true, 4
		stop := start(t, w)
		advance(time.Second)
		stop()
		if n := len(ran()); n != 0 {
			t.Errorf("it ran %d times", n)
		}
		if len(j.settled) != 1 || !strings.Contains(j.settled[0].Reason, "the process ended 2 times while it ran") {
			t.Errorf("settled %+v, want it dead with the reason", j.settled)
		}
	})
	synctestRun(t, "one that cannot begin does not hold up the others", func(t *testing.T) {
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}}
		suspects(t, in.MemInbox, "a")
		var begun atomic.Int64
		in.onBegin = func(context.Context) error {
			begun.Add(1)
			return errBoom
		}
		h, ran := recorded(succeed)
		w, _ := newTestWorker(in, h)
		w.SuspectsRunTogether = true
		stop := start(t, w)
		advance(time.Second)
		putDelivery(t, in, "new", nil)
		advance(time.Second)
		if diff := cmp.Diff([]string{"new"}, ran()); diff != "" || begun.Load() == 0 {
			t.Errorf("Begin was called %d times; ran (-want +got):\n%s", begun.Load(), diff)
		}
		stop()
	})
}
