package spool_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/spool"
)

// A pickyInbox returns an error for one delivery.
type pickyInbox struct {
	*webhook.MemInbox
	uid string
	err error
}

func (in *pickyInbox) Put(ctx context.Context, d *webhook.Delivery) error {
	if d.UID == in.uid {
		return in.err
	}
	return in.MemInbox.Put(ctx, d)
}

func TestSpoolKeepsADeliveryThatPrimaryRefuses(t *testing.T) {
	for _, refusal := range []struct {
		name  string
		err   error
		state webhook.State
		after []string // deliveries of the ordering key that primary gets
	}{
		{"permanently, after it was acknowledged: it is dead in local, and the next one is forwarded", webhook.Permanent(errBoom), webhook.Dead, []string{"2"}},
		{"as malformed: it is dead in local, and the next one is forwarded", webhook.ErrMalformed, webhook.Dead, []string{"2"}},
		{"with any other error: it is tried again, and the ordering key waits", errBoom, webhook.Waiting, nil},
		{"as ignored, which an inbox must not return: it is tried again", webhook.ErrIgnored, webhook.Waiting, nil},
	} {
		synctestRun(t, refusal.name, func(t *testing.T) {
			primary, local := &pickyInbox{&webhook.MemInbox{}, "1", refusal.err}, &webhook.MemInbox{}
			r := &rig{Spool: spool.New(webhook.Store(primary), local)}
			r.Logger = slog.New(slog.DiscardHandler)
			r.handle(t, "1")
			r.handle(t, "2")
			stop := r.run(t)
			putDelivery(t, local, "3", keyed("other"))
			advance(time.Hour)
			stop()
			require.Equal(t, refusal.state, stateOf(t, local, &webhook.Delivery{UID: "1"}))
			require.ElementsMatch(t, append(refusal.after, "3"), inOrder(t, primary))
		})
	}
}

func TestSpoolTriesOneDeliveryAtATimeWhilePrimaryIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		defer r.run(t)()
		r.set(refused)
		for i := range 1000 {
			require.NoError(t, r.Handle(t.Context(), &webhook.Delivery{UID: fmt.Sprint(i), Source: "alpha", Type: "alpha.event", OrderingKey: fmt.Sprint(i)}))
		}
		advance(time.Hour)
		require.Less(t, len(r.primary.putUIDs()), 1000, "one delivery every 5 to 10 seconds")
		require.Equal(t, 1000, pendingIn(t, r.local.inbox))
		r.set(none)
		advance(30 * time.Second)
		require.Zero(t, pendingIn(t, r.local.inbox))
		require.Len(t, inOrder(t, r.primary.inbox), 1000)
	})
}

func TestSpoolReturnsToPrimaryUnderSteadyTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		ms := func() time.Duration { return 5 * time.Millisecond }
		r.primary.delay, r.local.delay = ms, ms
		r.setLocal(replyLate, "Put", "Claim", "Settle", "Pending")
		r.set(replyLate)
		var senders sync.WaitGroup
		var slowest time.Duration
		var mu sync.Mutex
		ctx, cancel := context.WithCancel(t.Context())
		for i := range 20 { // so that a Put into local is running nearly all the time
			senders.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					start := time.Now()
					err := r.Handle(t.Context(), &webhook.Delivery{UID: fmt.Sprint(i, "/", n), Source: "alpha", Type: "alpha.event", OrderingKey: fmt.Sprint(i)})
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					slowest = max(slowest, time.Since(start))
					mu.Unlock()
					<-time.After(time.Duration(20+i) * time.Millisecond)
				}
			})
		}
		stop := r.run(t)
		advance(10 * time.Second)
		require.Zero(t, pendingIn(t, r.local.inbox), "deliveries go to primary")
		cancel()
		senders.Wait()
		stop()
		require.LessOrEqual(t, slowest, 300*time.Millisecond)
	})
}

func TestSpoolRunEndsCleanly(t *testing.T) {
	for _, trouble := range []struct {
		name  string
		fault fault
	}{{"while primary works", none}, {"while primary is down", refused}, {"while primary does not answer", storedLate}} {
		synctestRun(t, trouble.name, func(t *testing.T) {
			r := newRig()
			r.set(trouble.fault)
			for i := range 100 {
				require.NoError(t, r.Handle(t.Context(), &webhook.Delivery{UID: fmt.Sprint(i), Source: "alpha", Type: "alpha.event"}))
			}
			stop := r.run(t)
			require.LessOrEqual(t, stop(), 4*time.Second)
			require.Zero(t, counts(t, r.local.inbox)[webhook.Claimed], "nothing is left under a claim")
			r.set(none)
			defer r.run(t)()
			advance(time.Minute)
			require.Len(t, inOrder(t, r.primary.inbox), 100, "Run may be called again")
		})
	}
}

func TestSpoolIsVolatileIfEitherInboxIs(t *testing.T) {
	for _, tt := range []struct {
		name           string
		primary, local webhook.Inbox
		want           bool
	}{
		{"neither is volatile", newRig().primary, newRig().local, false},
		{"local is volatile", newRig().primary, &webhook.MemInbox{}, true},
		{"primary is volatile", &webhook.MemInbox{}, newRig().local, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log strings.Builder
			rc := webhook.NewReceiver(webhook.Source{Name: "alpha", Verifier: &webhook.InsecureAcceptAll{}}, spool.New(webhook.Store(tt.primary), tt.local))
			rc.Logger = slog.New(slog.NewTextHandler(&log, nil))
			w := httptest.NewRecorder()
			rc.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{}`)))
			require.Equal(t, http.StatusAccepted, w.Code)
			require.Equal(t, tt.want, strings.Contains(log.String(), "memory only"))
		})
	}
}
