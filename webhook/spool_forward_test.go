package webhook_test

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
)

// A pickyInbox refuses one delivery with an error of its own.
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

func TestSpoolKeepsWhatPrimaryRefuses(t *testing.T) {
	for _, refusal := range []struct {
		name  string
		err   error
		state webhook.State
		after []string // what primary gets of the ordering key
	}{
		{"for good, when it was acknowledged: dead in local, and the ordering key goes on", webhook.Permanent(errBoom), webhook.Dead, []string{"2"}},
		{"as malformed: dead in local, and the ordering key goes on", webhook.ErrMalformed, webhook.Dead, []string{"2"}},
		{"with any other error: it is tried again, and the ordering key waits", errBoom, webhook.Waiting, nil},
		{"as ignored: an inbox has no such choice", webhook.ErrIgnored, webhook.Waiting, nil},
	} {
		bubble(t, refusal.name, func(t *testing.T) {
			primary, local := &pickyInbox{&webhook.MemInbox{}, "1", refusal.err}, &webhook.MemInbox{}
			r := &spoolRig{Spool: webhook.NewSpool(primary, local)}
			r.Logger = slog.New(slog.DiscardHandler)
			r.take(t, "1")
			r.take(t, "2")
			stop := r.run(t)
			arrive(t, local, "3", keyed("other"))
			pass(time.Hour)
			stop()
			require.Equal(t, refusal.state, stateOf(t, local, &webhook.Delivery{UID: "1"}))
			require.ElementsMatch(t, append(refusal.after, "3"), inOrder(t, primary))
		})
	}
}

func TestSpoolIsGentleWithAPrimaryThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newSpoolRig()
		defer r.run(t)()
		r.set(refused)
		for i := range 1000 {
			require.NoError(t, r.Handle(t.Context(), &webhook.Delivery{UID: fmt.Sprint(i), Source: "alpha", Type: "alpha.event", OrderingKey: fmt.Sprint(i)}))
		}
		pass(time.Hour)
		require.Less(t, len(r.primary.asked()), 1000, "one at a time, every 5 to 10 seconds")
		require.Equal(t, 1000, pendingIn(t, r.local.inbox))
		r.set(none)
		pass(30 * time.Second)
		require.Zero(t, pendingIn(t, r.local.inbox))
		require.Len(t, inOrder(t, r.primary.inbox), 1000)
	})
}

func TestSpoolReturnsToPrimaryUnderSteadyTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newSpoolRig()
		ms := func() time.Duration { return 5 * time.Millisecond }
		r.primary.delay, r.local.delay = ms, ms
		r.setLocal(late, "Put", "Claim", "Settle", "Pending")
		r.set(late)
		var senders sync.WaitGroup
		var slowest time.Duration
		var mu sync.Mutex
		ctx, cancel := context.WithCancel(t.Context())
		for i := range 20 { // so that a put into local is nearly always under way
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
		pass(10 * time.Second)
		require.Zero(t, pendingIn(t, r.local.inbox), "all goes to primary")
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
	}{{"while primary is well", none}, {"while primary is down", refused}, {"while primary is silent", orphan}} {
		bubble(t, trouble.name, func(t *testing.T) {
			r := newSpoolRig()
			r.set(trouble.fault)
			for i := range 100 {
				require.NoError(t, r.Handle(t.Context(), &webhook.Delivery{UID: fmt.Sprint(i), Source: "alpha", Type: "alpha.event"}))
			}
			stop := r.run(t)
			require.LessOrEqual(t, stop(), 4*time.Second)
			require.Zero(t, r.local.inbox.Stats()[webhook.Claimed], "nothing is left under a claim")
			r.set(none)
			defer r.run(t)()
			pass(time.Minute)
			require.Len(t, inOrder(t, r.primary.inbox), 100, "Run may be called again")
		})
	}
}

func TestSpoolInMemoryIsTold(t *testing.T) {
	for _, local := range []webhook.Inbox{&webhook.MemInbox{}, newSpoolRig().local} {
		var log strings.Builder
		rc := webhook.NewReceiver(webhook.Source{Name: "alpha", Verifier: &webhook.InsecureAcceptAll{}}, webhook.NewSpool(newSpoolRig().primary, local))
		rc.Logger = slog.New(slog.NewTextHandler(&log, nil))
		w := httptest.NewRecorder()
		rc.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{}`)))
		require.Equal(t, http.StatusAccepted, w.Code)
		_, volatile := local.(*webhook.MemInbox)
		require.Equal(t, volatile, strings.Contains(log.String(), "memory only"))
	}
}
