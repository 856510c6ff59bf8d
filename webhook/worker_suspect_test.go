package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/webhook"
)

// A life is a process that works on an inbox until one delivery ends it: then it
// renews, settles and claims nothing any more.
func life(t *testing.T, in *webhook.MemInbox, maxAttempts int, killer string) (ran []string) {
	t.Helper()
	var dead atomic.Bool
	gone := func(ctx context.Context) error {
		if dead.Load() {
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}
	cut := &flakyInbox{MemInbox: in, onClaim: gone, onBegin: gone, onExtend: gone, onSettle: gone}
	end := make(chan struct{})
	h, uids := recorded(func(ctx context.Context, d *webhook.Delivery) error {
		if d.UID == killer {
			if dead.CompareAndSwap(false, true) {
				close(end)
			}
		}
		if dead.Load() {
			<-ctx.Done()
			return ctx.Err()
		}
		work(time.Second)
		if dead.Load() {
			<-ctx.Done()
		}
		return nil
	})
	w, _ := newTestWorker(cut, h)
	w.MaxAttempts, w.ShutdownTimeout = maxAttempts, time.Second
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	select {
	case <-end:
	case <-time.After(10 * time.Minute): // it lives
	}
	stop()
	if err := <-done; err != nil && !errors.Is(err, webhook.ErrShutdown) {
		t.Errorf("Run returned %v", err)
	}
	advance(time.Minute) // the supervisor starts it again, and leases run out
	return uids()
}

func TestOtherDeliveriesAreDoneDespiteOneThatEndsTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &webhook.MemInbox{}
		var all []*webhook.Delivery
		for i := range 8 {
			all = append(all, putDelivery(t, in, fmt.Sprint(i), nil))
		}
		for range 20 {
			life(t, in, 5, "3")
		}
		for _, d := range all {
			want := webhook.Done
			if d.UID == "3" {
				want = webhook.Dead
			}
			require.Equal(t, want, stateOf(t, in, d), d.UID)
		}
	})
}

// suspects makes each of these deliveries suspect: two processes that claimed it
// ended without a word.
func suspects(t *testing.T, in *webhook.MemInbox, uids ...string) {
	t.Helper()
	for _, uid := range uids {
		putDelivery(t, in, uid, nil)
	}
	for range 2 {
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: len(uids), Lease: time.Second})
		require.NoError(t, err)
		require.Len(t, claims, len(uids))
		advance(2 * time.Second)
	}
}

func TestSuspectsRunAlone(t *testing.T) {
	alone := func(each time.Duration) (h webhook.Handler, ran func() []string, most *atomic.Int64) {
		var running atomic.Int64
		most = new(atomic.Int64)
		h, ran = recorded(func(context.Context, *webhook.Delivery) error {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			work(each)
			return nil
		})
		return h, ran, most
	}
	synctestRun(t, "they run one at a time, alone, each with its lease renewed", func(t *testing.T) {
		in := &webhook.MemInbox{}
		suspects(t, in, "a", "b", "c")
		h, ran, most := alone(5 * time.Minute)
		w, j := newTestWorker(in, h)
		stop := start(t, w)
		advance(time.Second)
		putDelivery(t, in, "new", nil)
		advance(14 * time.Minute)
		require.Equal(t, []string{"a", "b", "c"}, ran())
		advance(10 * time.Minute)
		stop()
		require.EqualValues(t, 1, most.Load())
		require.Equal(t, []string{"a", "b", "c", "new"}, ran())
		require.Empty(t, j.lost)
		for _, c := range j.claimed[:3] {
			require.True(t, c.Suspect)
			require.Equal(t, 3, c.Attempt)
		}
	})
	synctestRun(t, "they have header and body, and the attempt that Begin counted", func(t *testing.T) {
		in := &webhook.MemInbox{}
		suspects(t, in, "a")
		var got webhook.Claim
		w, _ := newTestWorker(in, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
			got, _ = webhook.ClaimFromContext(ctx)
			require.Equal(t, "{}", string(d.Body))
			return nil
		}))
		w.MaxAttempts = 3
		stop := start(t, w)
		synctest.Wait()
		stop()
		require.Equal(t, 3, got.Attempt)
		require.True(t, got.Last)
		require.Equal(t, "{}", string(got.Delivery.Body))
	})
	synctestRun(t, "those with the fewest crashes run first", func(t *testing.T) {
		in := &webhook.MemInbox{}
		suspects(t, in, "a", "b")
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 2, Lease: time.Second})
		require.NoError(t, err)
		_, err = in.Begin(t.Context(), claims[0])
		require.NoError(t, err)
		advance(2 * time.Second)
		h, ran, _ := alone(time.Second)
		w, _ := newTestWorker(in, h)
		stop := start(t, w)
		advance(time.Minute)
		stop()
		require.Equal(t, []string{"b", "a"}, ran())
	})
	synctestRun(t, "they run after other deliveries of the same claim", func(t *testing.T) {
		in := &webhook.MemInbox{}
		suspects(t, in, "a")
		putDelivery(t, in, "fresh", nil)
		h, ran, most := alone(time.Minute)
		w, _ := newTestWorker(in, h)
		stop := start(t, w)
		advance(5 * time.Minute)
		stop()
		require.Equal(t, []string{"fresh", "a"}, ran())
		require.EqualValues(t, 1, most.Load())
	})
	synctestRun(t, "another callback that hangs delays them by Timeout and one lease at most", func(t *testing.T) {
		in := &webhook.MemInbox{}
		suspects(t, in, "a")
		putDelivery(t, in, "hang", nil)
		h, ran, release := hang()
		w, _ := newTestWorker(in, h)
		stop := start(t, w)
		advance(15 * time.Minute)
		require.Equal(t, []string{"hang"}, ran())
		require.Equal(t, 1, w.Health().Suspects)
		putDelivery(t, in, "new", nil)
		advance(31 * time.Second)
		require.Equal(t, []string{"hang", "a", "new"}, ran())
		release(2)
		advance(time.Minute)
		stop()
	})
	synctestRun(t, "a suspect that hangs delays the others no longer than that", func(t *testing.T) {
		in := &webhook.MemInbox{}
		suspects(t, in, "hang", "other")
		h, ran, release := hang()
		w, _ := newTestWorker(in, h)
		stop := start(t, w)
		advance(16 * time.Minute)
		require.Equal(t, []string{"hang", "other"}, ran())
		release(2)
		advance(time.Minute)
		stop()
	})
	synctestRun(t, "those that wait at shutdown are put back uncounted, as suspects", func(t *testing.T) {
		in := &webhook.MemInbox{}
		suspects(t, in, "a", "b", "c")
		h, ran, _ := alone(5 * time.Second)
		w, j := newTestWorker(in, h)
		stop := start(t, w)
		advance(time.Second)
		stop()
		require.Equal(t, []string{"a"}, ran())
		require.Len(t, j.settled, 3)
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 9})
		require.NoError(t, err)
		require.Len(t, claims, 2)
		for _, c := range claims {
			require.True(t, c.Suspect)
			require.Equal(t, 3, c.Attempt)
		}
	})
	synctestRun(t, "a suspect that cannot begin is tried again", func(t *testing.T) {
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}}
		suspects(t, in.MemInbox, "a")
		var asked atomic.Int64
		in.onBegin = func(context.Context) error {
			if asked.Add(1) < 4 {
				return errBoom
			}
			return nil
		}
		h, ran, _ := alone(time.Second)
		w, j := newTestWorker(in, h)
		stop := start(t, w)
		advance(time.Minute)
		stop()
		require.Equal(t, []string{"a"}, ran())
		require.Equal(t, []webhook.State{webhook.Done}, j.states())
	})
	synctestRun(t, "a suspect whose claim is lost before Begin does not run", func(t *testing.T) {
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}}
		suspects(t, in.MemInbox, "a", "b")
		var asked atomic.Int64
		in.onBegin = func(context.Context) error {
			if asked.Add(1) == 1 {
				return fmt.Errorf("unreadable: %w", webhook.ErrClaimLost)
			}
			return nil
		}
		h, ran, _ := alone(time.Second)
		w, j := newTestWorker(in, h)
		stop := start(t, w)
		advance(10 * time.Second)
		stop()
		require.Equal(t, []string{"b"}, ran())
		require.Len(t, j.lost, 1)
	})
}

func TestAttemptThatNeverBeganIsNotACrash(t *testing.T) {
	synctestRun(t, "a delivery that was claimed too often runs once more, as the last attempt", func(t *testing.T) {
		in := &webhook.MemInbox{}
		d := putDelivery(t, in, "a", nil)
		_, err := in.Claim(t.Context(), webhook.ClaimOptions{Lease: time.Second}) // whose answer was lost
		require.NoError(t, err)
		advance(2 * time.Second)
		var last bool
		w, _ := newTestWorker(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			c, _ := webhook.ClaimFromContext(ctx)
			last = c.Last
			return nil
		}))
		w.MaxAttempts = 1
		stop := start(t, w)
		synctest.Wait()
		stop()
		require.Equal(t, webhook.Done, stateOf(t, in, d))
		require.True(t, last)
	})
	synctestRun(t, "after MaxAttempts is lowered a waiting delivery runs once more, and keeps its reason", func(t *testing.T) {
		in := &webhook.MemInbox{}
		d := putDelivery(t, in, "a", nil)
		for range 5 {
			claims, err := in.Claim(t.Context(), webhook.ClaimOptions{})
			require.NoError(t, err)
			settle(t, in, claims[0], webhook.Outcome{State: webhook.Waiting, Reason: "registry is down"})
		}
		h, ran := recorded(func(context.Context, *webhook.Delivery) error { return errors.New("still down") })
		w, j := newTestWorker(in, h)
		w.MaxAttempts = 3
		stop := start(t, w)
		synctest.Wait()
		stop()
		require.Len(t, ran(), 1)
		require.Equal(t, webhook.Dead, stateOf(t, in, d))
		require.Equal(t, "still down", j.last().Reason)
	})
	synctestRun(t, "the reason contains the last failure and the crashes", func(t *testing.T) {
		in := &webhook.MemInbox{}
		putDelivery(t, in, "a", nil)
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{})
		require.NoError(t, err)
		settle(t, in, claims[0], webhook.Outcome{State: webhook.Waiting, Reason: "registry is down"})
		for range 3 {
			claims, err := in.Claim(t.Context(), webhook.ClaimOptions{Lease: time.Second})
			require.NoError(t, err)
			if claims[0].Suspect {
				_, err := in.Begin(t.Context(), claims[0])
				require.NoError(t, err)
			}
			advance(2 * time.Second)
		}
		w, j := newTestWorker(in, webhook.HandlerFunc(succeed))
		w.MaxAttempts = 4
		stop := start(t, w)
		synctest.Wait()
		stop()
		require.Equal(t, "it ended the process when it ran alone; before that: registry is down", j.last().Reason)
	})
}

func TestWorkerLimitsTheBytesOfAClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := plainInbox{&webhook.MemInbox{}}
		var most atomic.Int64
		var running atomic.Int64
		h, ran := recorded(func(_ context.Context, d *webhook.Delivery) error {
			most.Store(max(most.Load(), running.Add(int64(len(d.Body)))))
			return nil
		})
		sizes := &claimSizes{Inbox: in}
		w, _ := newTestWorker(sizes, h)
		w.PollInterval = time.Hour
		for i := range 8 {
			putDelivery(t, in, fmt.Sprint(i), func(d *webhook.Delivery) { d.Body = make([]byte, 5<<20) })
		}
		stop := start(t, w)
		synctest.Wait()
		stop()
		require.Len(t, ran(), 8, "it asks for the rest at once")
		require.LessOrEqual(t, slices.Max(sizes.bytes), 8<<20)
	})
}

// claimSizes records the total size of the bodies of each Claim.
type claimSizes struct {
	webhook.Inbox
	bytes []int
}

func (in *claimSizes) Claim(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
	claims, err := in.Inbox.Claim(ctx, o)
	size := 0
	for _, c := range claims {
		size += len(c.Delivery.Body)
	}
	in.bytes = append(in.bytes, size)
	return claims, err
}
