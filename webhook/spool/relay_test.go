package spool_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/spool"
)

// A bareQueue is a Queue without Put and without the optional interfaces.
type bareQueue struct{ webhook.Queue }

// A handlerLog is a Handler that records the UIDs of its calls.
type handlerLog struct {
	handle func(ctx context.Context, d *webhook.Delivery) error // for the first call of each UID

	mu   sync.Mutex
	uids []string
}

func (h *handlerLog) Handle(ctx context.Context, d *webhook.Delivery) error {
	h.mu.Lock()
	first := !slices.Contains(h.uids, d.UID)
	h.uids = append(h.uids, d.UID)
	h.mu.Unlock()
	if h.handle == nil || !first {
		return nil
	}
	return h.handle(ctx, d)
}

func (h *handlerLog) calls() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.uids)
}

func newRelay(from webhook.Queue, to webhook.Handler) *spool.Relay {
	r := spool.NewRelay(from, to)
	r.Logger = slog.New(slog.DiscardHandler)
	return r
}

func TestNewRelayPanicsOnMisuse(t *testing.T) {
	in := &webhook.MemInbox{}
	require.PanicsWithValue(t, "spool: NewRelay needs a queue", func() { spool.NewRelay(nil, webhook.Store(in)) })
	require.PanicsWithValue(t, "spool: NewRelay needs a handler", func() { spool.NewRelay(in, nil) })
}

func TestRelayMovesAnInboxInOrder(t *testing.T) {
	synctestRun(t, "100 deliveries of 5 ordering keys, from a Queue that is not an Inbox", func(t *testing.T) {
		from, to := &webhook.MemInbox{}, &webhook.MemInbox{}
		for i := range 100 {
			putDelivery(t, from, fmt.Sprintf("%03d", i), keyed(fmt.Sprint("key", i%5)))
		}
		stop := start(t, newRelay(bareQueue{from}, webhook.Store(to)))
		advance(time.Minute)
		stop()
		require.Equal(t, map[webhook.State]int{webhook.Done: 100}, counts(t, from))
		moved := inOrder(t, to)
		require.Len(t, moved, 100)
		last := make(map[int]string)
		for _, uid := range moved {
			var i int
			_, err := fmt.Sscanf(uid, "%03d", &i)
			require.NoError(t, err)
			require.Less(t, last[i%5], uid)
			last[i%5] = uid
		}
	})
}

func TestRelayOutcomeByHandlerError(t *testing.T) {
	for _, tt := range []struct {
		name  string
		err   error
		state webhook.State // of the first delivery a second later
		calls []string
	}{
		{"nil", nil, webhook.Done, []string{"1", "2"}},
		{"a duplicate", &webhook.DuplicateError{UID: "0", State: webhook.Done}, webhook.Done, []string{"1", "2"}},
		{"permanent", webhook.Permanent(errBoom), webhook.Dead, []string{"1", "2"}},
		{"malformed", webhook.ErrMalformed, webhook.Dead, []string{"1", "2"}},
		{"any other error", errBoom, webhook.Done, []string{"1", "1", "2"}},
		{"a duplicate and a failure", errors.Join(webhook.ErrDuplicate, errBoom), webhook.Done, []string{"1", "1", "2"}},
		{"ignored", webhook.ErrIgnored, webhook.Done, []string{"1", "1", "2"}},
		{"no handler", webhook.ErrNoHandler, webhook.Done, []string{"1", "1", "2"}},
	} {
		synctestRun(t, tt.name, func(t *testing.T) {
			from := &webhook.MemInbox{}
			to := &handlerLog{handle: func(_ context.Context, d *webhook.Delivery) error {
				if d.UID == "1" {
					return tt.err
				}
				return nil
			}}
			putDelivery(t, from, "1", keyed("key"))
			putDelivery(t, from, "2", keyed("key"))
			defer start(t, newRelay(from, to))()
			advance(time.Second)
			require.Equal(t, tt.calls, to.calls())
			require.Equal(t, tt.state, stateOf(t, from, &webhook.Delivery{UID: "1", Source: "alpha"}))
			require.Equal(t, webhook.Done, stateOf(t, from, &webhook.Delivery{UID: "2", Source: "alpha"}))
		})
	}
}

func TestRelayTriesAgainWithoutALimit(t *testing.T) {
	synctestRun(t, "for an hour", func(t *testing.T) {
		from, to := &webhook.MemInbox{}, newRig()
		to.set(refused)
		putDelivery(t, from, "1", nil)
		defer start(t, newRelay(from, webhook.Store(to.primary)))()
		advance(time.Hour)
		require.Equal(t, 1, pendingIn(t, from))
		require.Greater(t, len(to.primary.putUIDs()), 360, "at least every 10 seconds")
		to.set(none)
		advance(10 * time.Second)
		require.Zero(t, pendingIn(t, from))
		require.Equal(t, []string{"1"}, inOrder(t, to.primary.inbox))
	})
}

func TestRelayContinuesAfterAHandlerThatDoesNotReturn(t *testing.T) {
	for name, handle := range map[string]func(ctx context.Context, d *webhook.Delivery) error{
		"it panics":                       func(context.Context, *webhook.Delivery) error { panic("boom") },
		"it ends its goroutine":           func(context.Context, *webhook.Delivery) error { runtime.Goexit(); return nil },
		"it returns after its time limit": func(ctx context.Context, _ *webhook.Delivery) error { <-ctx.Done(); return ctx.Err() },
	} {
		synctestRun(t, name, func(t *testing.T) {
			from, to := &webhook.MemInbox{}, &handlerLog{handle: handle}
			for i := range 50 { // some of them as a probe
				putDelivery(t, from, fmt.Sprint(i), nil)
			}
			r := newRelay(from, to)
			r.Timeout = time.Second
			defer start(t, r)()
			advance(time.Hour)
			require.Zero(t, pendingIn(t, from))
			require.Equal(t, 50, counts(t, from)[webhook.Done])
		})
	}
}

func TestRelayContinuesAfterAProbeThatEndsItsGoroutine(t *testing.T) {
	synctestRun(t, "the probe after a failure", func(t *testing.T) {
		from, calls := &webhook.MemInbox{}, 0
		putDelivery(t, from, "1", nil)
		defer start(t, newRelay(from, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			calls++
			switch calls {
			case 1:
				return errBoom
			case 2:
				runtime.Goexit()
			}
			return nil
		})))()
		advance(time.Minute)
		require.Zero(t, pendingIn(t, from))
		require.Equal(t, 3, calls)
	})
}

func TestRelayDoesNotDecodeWhatASpoolEncodes(t *testing.T) {
	synctestRun(t, "a header that the sender sent has no meaning", func(t *testing.T) {
		from, to := &webhook.MemInbox{}, &webhook.MemInbox{}
		sent := `{"coalesce":{"Quiet":3600000000000},"unique":["id:other"]}`
		putDelivery(t, from, "1", func(d *webhook.Delivery) { d.Header = map[string][]string{"Hookhouse-Spool": {sent}} })
		defer start(t, newRelay(from, webhook.Store(to)))()
		advance(time.Second)
		claims, err := to.Claim(t.Context(), webhook.ClaimOptions{})
		require.NoError(t, err)
		require.Len(t, claims, 1)
		require.Equal(t, []string{sent}, claims[0].Delivery.Header["Hookhouse-Spool"])
		require.Empty(t, claims[0].Delivery.DedupKeys)
	})
}

func TestRelayRunEndsInTime(t *testing.T) {
	synctestRun(t, "with a Handler that ignores its context", func(t *testing.T) {
		from, release := &webhook.MemInbox{}, make(chan struct{})
		putDelivery(t, from, "1", nil)
		r := newRelay(from, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { <-release; return nil }))
		r.ShutdownTimeout = 3 * time.Second
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		advance(time.Second)
		began := time.Now()
		cancel()
		require.ErrorIs(t, <-done, webhook.ErrShutdown)
		require.LessOrEqual(t, time.Since(began), 5*time.Second)
		require.Equal(t, 1, counts(t, from)[webhook.Waiting], "it is given back")
		close(release)
		advance(time.Second)
	})
	synctestRun(t, "with calls that do not return on every slot", func(t *testing.T) {
		from, release := &webhook.MemInbox{}, make(chan struct{})
		putDelivery(t, from, "1", nil)
		r := newRelay(from, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { <-release; return nil }))
		r.Concurrency = 1
		require.ErrorIs(t, r.Run(t.Context()), webhook.ErrStuck)
		close(release)
		advance(time.Second)
	})
}

func TestRelayCallsItsObserver(t *testing.T) {
	synctestRun(t, "for each settlement", func(t *testing.T) {
		from := &webhook.MemInbox{}
		putDelivery(t, from, "1", nil)
		r := newRelay(from, &handlerLog{})
		var settled []webhook.State
		r.Observer = &webhook.Observer{Settled: func(_ webhook.Claim, o webhook.Outcome, _ time.Duration) { settled = append(settled, o.State) }}
		stop := start(t, r)
		advance(time.Second)
		stop()
		require.Equal(t, []webhook.State{webhook.Done}, settled)
	})
}
