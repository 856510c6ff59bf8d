package webhook_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// A countedInbox counts the calls of Claim, and may say something else about what is due.
type countedInbox struct {
	*webhook.MemInbox
	claims  atomic.Int64
	nextDue func() (time.Duration, error) // nil: that of the MemInbox
}

func (in *countedInbox) Claim(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
	in.claims.Add(1)
	return in.MemInbox.Claim(ctx, o)
}

func (in *countedInbox) NextDue(ctx context.Context, o webhook.ClaimOptions) (time.Duration, error) {
	if in.nextDue != nil {
		return in.nextDue()
	}
	return in.MemInbox.NextDue(ctx, o)
}

const fiveDays = 5 * 24 * time.Hour

func TestWorkerDoesNotPollANextDuer(t *testing.T) {
	synctestRun(t, "it claims once a minute while nothing happens, and at once what is due or stored", func(t *testing.T) {
		in := &countedInbox{MemInbox: &webhook.MemInbox{}}
		var ran []time.Duration
		begin := time.Now()
		w, _ := newTestWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			ran = append(ran, time.Since(begin))
			if len(ran) < 4 {
				return webhook.RetryAfter(31*time.Hour+7*time.Millisecond, errBoom)
			}
			return nil
		}))
		stop := start(t, w)
		advance(30 * time.Second)
		putDelivery(t, in, "a", nil)
		advance(fiveDays)
		stop()
		first, again := 30*time.Second, 31*time.Hour+7*time.Millisecond
		if diff := cmp.Diff([]time.Duration{first, first + again, first + 2*again, first + 3*again}, ran); diff != "" {
			t.Errorf("ran at (-want +got):\n%s", diff)
		}
		if got, most := in.claims.Load(), int64(fiveDays/time.Minute)+60; got > most {
			t.Errorf("%d claims in five days, want at most %d", got, most)
		}
	})
	synctestRun(t, "it claims what another Worker has lost when the lease ends", func(t *testing.T) {
		in := &countedInbox{MemInbox: &webhook.MemInbox{}}
		putDelivery(t, in, "a", nil)
		if _, err := in.MemInbox.Claim(t.Context(), webhook.ClaimOptions{Lease: 42 * time.Second}); err != nil {
			t.Fatal(err)
		}
		h, ran := recorded(succeed)
		w, _ := newTestWorker(in, h)
		stop := start(t, w)
		advance(42*time.Second - time.Millisecond)
		if got := ran(); len(got) != 0 {
			t.Errorf("ran %v before the lease ended", got)
		}
		advance(time.Millisecond)
		if got := ran(); len(got) != 1 {
			t.Errorf("ran %v when the lease ended, want a", got)
		}
		stop()
	})
	synctestRun(t, "it claims a type at once that is resumed, and a lease that is cut short when it ends", func(t *testing.T) {
		in := &countedInbox{MemInbox: &webhook.MemInbox{}}
		note := webhook.Note{By: "ann"}
		putDelivery(t, in, "a", nil)
		claims, err := in.MemInbox.Claim(t.Context(), webhook.ClaimOptions{Lease: time.Hour})
		if err != nil || len(claims) != 1 {
			t.Fatal(claims, err)
		}
		if err := in.Pause(t.Context(), "alpha.other", note); err != nil {
			t.Fatal(err)
		}
		putDelivery(t, in, "b", typed("alpha.other"))
		h, ran := recorded(succeed)
		w, _ := newTestWorker(in, h)
		stop := start(t, w)
		advance(10 * time.Second)
		if err := in.Resume(t.Context(), "alpha.other", note); err != nil {
			t.Fatal(err)
		}
		advance(time.Microsecond)
		if diff := cmp.Diff([]string{"b"}, ran()); diff != "" {
			t.Errorf("after Resume it ran (-want +got):\n%s", diff)
		}
		if err := in.Extend(t.Context(), claims[0], time.Second); err != nil {
			t.Fatal(err)
		}
		advance(time.Second)
		if diff := cmp.Diff([]string{"b", "a"}, ran()); diff != "" {
			t.Errorf("after the lease it ran (-want +got):\n%s", diff)
		}
		stop()
	})
}

// A Claim may end a delivery that it does not return, and so let others run.
func TestWorkerClaimsAtOnceWhatAnotherWorkersClaimLetsRun(t *testing.T) {
	synctestRun(t, "the next of an ordering key whose lost delivery is superseded", func(t *testing.T) {
		in := &webhook.MemInbox{}
		newest := func(d *webhook.Delivery) { d.OrderingKey, d.Coalesce = "key", webhook.NewestOnly() }
		lost := putDelivery(t, in, "lost", newest)
		if claims, err := in.Claim(t.Context(), webhook.ClaimOptions{Lease: time.Second}); err != nil || len(claims) != 1 {
			t.Fatal(claims, err)
		}
		putDelivery(t, in, "next", func(d *webhook.Delivery) { d.OrderingKey, d.Type = "key", "alpha.other" })
		putDelivery(t, in, "newest", newest)
		h, ran := recorded(succeed)
		mux := &webhook.Mux{}
		mux.Route("alpha.other", h)
		w, _ := newTestWorker(in, mux)
		stop := start(t, w)
		advance(2 * time.Second)
		if claims, err := in.Claim(t.Context(), webhook.ClaimOptions{Types: []string{"alpha.event"}}); err != nil || len(claims) != 0 {
			t.Fatal(claims, err)
		}
		advance(time.Millisecond)
		if diff := cmp.Diff([]string{"next"}, ran()); diff != "" || stateOf(t, in, lost) != webhook.Superseded {
			t.Errorf("it ran (-want +got):\n%s", diff)
		}
		stop()
	})
}

func TestWorkerPolls(t *testing.T) {
	polled := int64(time.Minute / (200 * time.Millisecond))
	poll := func(t *testing.T, q webhook.Inbox, claims *atomic.Int64) {
		t.Helper()
		w, _ := newTestWorker(q, webhook.HandlerFunc(succeed))
		var log bytes.Buffer
		w.Logger = slog.New(slog.NewTextHandler(&log, nil))
		stop := start(t, w)
		advance(time.Minute)
		stop()
		if got := claims.Load(); got < polled-1 || got > polled+2 {
			t.Errorf("%d claims in a minute, want about %d", got, polled)
		}
		if n := strings.Count(log.String(), "polled"); n > 2 {
			t.Errorf("logged %d times:\n%s", n, log.String())
		}
	}
	synctestRun(t, "an inbox that is no NextDuer", func(t *testing.T) {
		in := &countedInbox{MemInbox: &webhook.MemInbox{}}
		poll(t, plainInbox{in}, &in.claims)
	})
	for name, nextDue := range map[string]func() (time.Duration, error){
		"a NextDuer that always has something due":  func() (time.Duration, error) { return 0, nil },
		"a NextDuer whose next delivery is overdue": func() (time.Duration, error) { return -time.Hour, nil },
		"a NextDuer that fails":                     func() (time.Duration, error) { return time.Hour, errBoom },
		"a NextDuer that panics":                    func() (time.Duration, error) { panic("boom") },
	} {
		synctestRun(t, name, func(t *testing.T) {
			in := &countedInbox{MemInbox: &webhook.MemInbox{}, nextDue: nextDue}
			poll(t, in, &in.claims)
		})
	}
	synctestRun(t, "a NextDuer while it leaves out a delivery whose callback has not returned", func(t *testing.T) {
		in := &countedInbox{MemInbox: &webhook.MemInbox{}}
		release, runs := make(chan struct{}), atomic.Int64{}
		w, _ := newTestWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			if runs.Add(1) == 1 {
				<-release
			}
			return nil
		}))
		w.Timeout, w.Lease = time.Second, time.Second
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(10 * time.Minute)
		close(release)
		advance(time.Second)
		if got := runs.Load(); got != 2 {
			t.Errorf("%d runs a second after the callback returned, want 2", got)
		}
		stop()
	})
}
