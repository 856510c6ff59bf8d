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

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/internal/panictest"
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
	panictest.Require(t, "spool: NewRelay needs a queue", func() { spool.NewRelay(nil, webhook.Store(in)) })
	panictest.Require(t, "spool: NewRelay needs a handler", func() { spool.NewRelay(in, nil) })
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
		if diff := cmp.Diff(map[webhook.State]int{webhook.Done: 100}, counts(t, from)); diff != "" {
			t.Fatalf("counts(from) (-want +got):\n%s", diff)
		}
		moved := inOrder(t, to)
		if len(moved) != 100 {
			t.Fatalf("len(moved) = %d, want 100: %v", len(moved), moved)
		}
		last := make(map[int]string)
		for _, uid := range moved {
			var i int
			_, err := fmt.Sscanf(uid, "%03d", &i)
			if err != nil {
				t.Fatal(err)
			}
			if got := last[i%5]; got >= uid {
				t.Fatalf("last[i%%5] = %q, want less than %q", got, uid)
			}
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
			if diff := cmp.Diff(tt.calls, to.calls()); diff != "" {
				t.Fatalf("to.calls() (-want +got):\n%s", diff)
			}
			if got := stateOf(t, from, &webhook.Delivery{UID: "1", Source: "alpha"}); got != tt.state {
				t.Fatalf(`stateOf(from, &webhook.Delivery{UID: "1", Source: "alpha"}) = %q, want %q`, got, tt.state)
			}
			if got := stateOf(t, from, &webhook.Delivery{UID: "2", Source: "alpha"}); got != webhook.Done {
				t.Fatalf(`stateOf(from, &webhook.Delivery{UID: "2", Source: "alpha"}) = %q, want %q`, got, webhook.Done)
			}
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
		if got := pendingIn(t, from); got != 1 {
			t.Fatalf("pendingIn(from) = %d, want 1", got)
		}
		if got := len(to.primary.putUIDs()); got <= 360 {
			t.Fatalf("at least every 10 seconds: len(to.primary.putUIDs()) = %d, want more than 360", got)
		}
		to.set(none)
		advance(10 * time.Second)
		if got := pendingIn(t, from); got != 0 {
			t.Fatalf("pendingIn(from) = %d, want 0", got)
		}
		if diff := cmp.Diff([]string{"1"}, inOrder(t, to.primary.inbox)); diff != "" {
			t.Fatalf("inOrder(to.primary.inbox) (-want +got):\n%s", diff)
		}
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
			if got := pendingIn(t, from); got != 0 {
				t.Fatalf("pendingIn(from) = %d, want 0", got)
			}
			if got := counts(t, from)[webhook.Done]; got != 50 {
				t.Fatalf("counts(from)[webhook.Done] = %d, want 50", got)
			}
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
		if got := pendingIn(t, from); got != 0 {
			t.Fatalf("pendingIn(from) = %d, want 0", got)
		}
		if calls != 3 {
			t.Fatalf("calls = %d, want 3", calls)
		}
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
		if err != nil {
			t.Fatal(err)
		}
		if len(claims) != 1 {
			t.Fatalf("len(claims) = %d, want 1: %v", len(claims), claims)
		}
		if diff := cmp.Diff([]string{sent}, claims[0].Delivery.Header["Hookhouse-Spool"]); diff != "" {
			t.Fatalf("claims[0].Delivery.Header[\"Hookhouse-Spool\"] (-want +got):\n%s", diff)
		}
		if len(claims[0].Delivery.DedupKeys) != 0 {
			t.Fatalf("claims[0].Delivery.DedupKeys = %v, want empty", claims[0].Delivery.DedupKeys)
		}
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
		if err := <-done; !errors.Is(err, webhook.ErrShutdown) {
			t.Fatalf("<-done = %v, want %v", err, webhook.ErrShutdown)
		}
		if got := time.Since(began); got > 5*time.Second {
			t.Fatalf("time.Since(began) = %v, want at most %v", got, 5*time.Second)
		}
		if got := counts(t, from)[webhook.Waiting]; got != 1 {
			t.Fatalf("it is given back: counts(from)[webhook.Waiting] = %d, want 1", got)
		}
		close(release)
		advance(time.Second)
	})
	synctestRun(t, "with calls that do not return on every slot", func(t *testing.T) {
		from, release := &webhook.MemInbox{}, make(chan struct{})
		putDelivery(t, from, "1", nil)
		r := newRelay(from, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { <-release; return nil }))
		r.Concurrency = 1
		if err := r.Run(t.Context()); !errors.Is(err, webhook.ErrStuck) {
			t.Fatalf("r.Run(t.Context()) = %v, want %v", err, webhook.ErrStuck)
		}
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
		r.Observer = &webhook.Observer{Settled: func(_ context.Context, _ webhook.Claim, o webhook.Outcome, _ time.Duration) {
			settled = append(settled, o.State)
		}}
		stop := start(t, r)
		advance(time.Second)
		stop()
		if diff := cmp.Diff([]webhook.State{webhook.Done}, settled); diff != "" {
			t.Fatalf("settled (-want +got):\n%s", diff)
		}
	})
}
