package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/webhook"
)

var errBoom = errors.New("boom")

// bubble is a subtest in fake time. Goroutines that a Worker leaves behind
// fail it.
func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// pass lets fake time pass and everything that is due happen.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// work is how long a callback takes, which many may do at once.
func work(d time.Duration) { <-time.After(d) }

// A moodyInbox fails or blocks where a test tells it to.
type moodyInbox struct {
	*webhook.MemInbox
	onClaim, onExtend, onSettle func(ctx context.Context) error // nil or nil error: go on
	onSweep                     func()
}

func mood(ctx context.Context, f func(ctx context.Context) error) error {
	if f == nil {
		return nil
	}
	return f(ctx)
}

func (in *moodyInbox) Claim(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
	if err := mood(ctx, in.onClaim); err != nil {
		return nil, err
	}
	return in.MemInbox.Claim(ctx, o)
}

func (in *moodyInbox) Extend(ctx context.Context, c webhook.Claim, lease time.Duration) error {
	if err := mood(ctx, in.onExtend); err != nil {
		return err
	}
	return in.MemInbox.Extend(ctx, c, lease)
}

func (in *moodyInbox) Settle(ctx context.Context, c webhook.Claim, o webhook.Outcome) error {
	if err := mood(ctx, in.onSettle); err != nil {
		return err
	}
	return in.MemInbox.Settle(ctx, c, o)
}

func (in *moodyInbox) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	if in.onSweep != nil {
		in.onSweep()
	}
	return in.MemInbox.Sweep(ctx, before, limit)
}

// A plainInbox has none of the optional interfaces.
type plainInbox struct{ webhook.Inbox }

// A journal keeps what a Worker's Observer is told.
type journal struct {
	mu      sync.Mutex
	claimed []webhook.Claim
	settled []webhook.Outcome
	fences  []int64 // of the claims settled
	took    []time.Duration
	lost    []webhook.Claim
}

func (j *journal) observer() *webhook.Observer {
	return &webhook.Observer{
		Claimed: func(c webhook.Claim) {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.claimed = append(j.claimed, c)
		},
		Settled: func(c webhook.Claim, o webhook.Outcome, took time.Duration) {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.settled = append(j.settled, o)
			j.fences = append(j.fences, c.Fence)
			j.took = append(j.took, took)
		},
		Lost: func(c webhook.Claim) {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.lost = append(j.lost, c)
		},
	}
}

func (j *journal) states() (states []webhook.State) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, o := range j.settled {
		states = append(states, o.State)
	}
	return states
}

func (j *journal) last() webhook.Outcome {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.settled) == 0 {
		return webhook.Outcome{}
	}
	return j.settled[len(j.settled)-1]
}

// quietly returns a Worker that logs nothing and whose journal is kept.
func quietly(in webhook.Inbox, h webhook.Handler) (*webhook.Worker, *journal) {
	j := &journal{}
	w := webhook.NewWorker(in, h)
	w.Logger = slog.New(slog.DiscardHandler)
	w.Observe = j.observer()
	return w, j
}

// start runs w until stop, which demands that Run returns its context's error.
func start(t *testing.T, w *webhook.Worker) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run returned %v", err)
		}
	}
}

// arrive puts a delivery; change may be nil.
func arrive(t *testing.T, in webhook.Inbox, uid string, change func(d *webhook.Delivery)) *webhook.Delivery {
	t.Helper()
	d := &webhook.Delivery{UID: uid, Source: "alpha", Type: "alpha.event", Body: []byte(`{}`)}
	if change != nil {
		change(d)
	}
	require.NoError(t, in.Put(t.Context(), d))
	return d
}

func keyed(key string) func(d *webhook.Delivery) {
	return func(d *webhook.Delivery) { d.Key = key }
}

func typed(typ string) func(d *webhook.Delivery) {
	return func(d *webhook.Delivery) { d.Source, d.Type = strings.Split(typ, ".")[0], typ }
}

// stateOf asks where d stands.
func stateOf(t *testing.T, in webhook.Inbox, d *webhook.Delivery) webhook.State {
	t.Helper()
	known, ok := errors.AsType[*webhook.DuplicateError](in.Put(t.Context(), d))
	require.True(t, ok, "%s is not known", d.UID)
	return known.State
}

// recorded returns a Handler that does f and the UIDs it was given, in order.
func recorded(f func(ctx context.Context, d *webhook.Delivery) error) (h webhook.Handler, ran func() []string) {
	var (
		mu   sync.Mutex
		uids []string
	)
	h = webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		mu.Lock()
		uids = append(uids, d.UID)
		mu.Unlock()
		return f(ctx, d)
	})
	return h, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(uids)
	}
}

func succeed(context.Context, *webhook.Delivery) error { return nil }

// heed blocks until ctx ends.
func heed(ctx context.Context, _ *webhook.Delivery) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestPromise2_AtLeastOnceOnceInPractice(t *testing.T) {
	bubble(t, "a duplicate does not run", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(succeed)
		w, _ := quietly(in, h)
		stop := start(t, w)
		mark := func(d *webhook.Delivery) { d.Unique = []string{"mark"} }
		arrive(t, in, "first", mark)
		pass(time.Second)
		err := webhook.Store(in).Handle(t.Context(), &webhook.Delivery{UID: "second", Source: "alpha", Unique: []string{"mark"}})
		require.ErrorIs(t, err, webhook.ErrDuplicate)
		pass(time.Minute)
		stop()
		require.Equal(t, []string{"first"}, ran())
	})
	bubble(t, "a settlement is tried again while the inbox fails, and the work is not", func(t *testing.T) {
		var failures atomic.Int64
		in := &moodyInbox{MemInbox: &webhook.MemInbox{}, onSettle: func(context.Context) error {
			if failures.Add(1) <= 4 {
				return errBoom
			}
			return nil
		}}
		h, ran := recorded(succeed)
		w, j := quietly(in, h)
		d := arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(20 * time.Second)
		stop()
		require.Equal(t, []string{"a"}, ran())
		require.Equal(t, webhook.Done, stateOf(t, in, d))
		require.Equal(t, []webhook.State{webhook.Done}, j.states())
	})
	bubble(t, "a settlement that fails for longer than the lease is lost, and the work runs again", func(t *testing.T) {
		down := atomic.Bool{}
		down.Store(true)
		in := &moodyInbox{MemInbox: &webhook.MemInbox{}, onSettle: func(context.Context) error {
			if down.Load() {
				return errBoom
			}
			return nil
		}}
		h, ran := recorded(succeed)
		w, j := quietly(in, h)
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(31 * time.Second)
		down.Store(false)
		pass(time.Minute)
		stop()
		require.Equal(t, []string{"a", "a"}, ran())
		require.Len(t, j.lost, 1)
		require.Equal(t, []webhook.State{webhook.Done}, j.states())
	})
}

func TestPromise3_LeasesWithHeartbeatAndFencing(t *testing.T) {
	bubble(t, "a heartbeat keeps the claim of a long callback", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(func(context.Context, *webhook.Delivery) error { work(10 * time.Minute); return nil })
		one, _ := quietly(in, h)
		other, _ := quietly(in, h)
		arrive(t, in, "a", nil)
		stopOne, stopOther := start(t, one), start(t, other)
		pass(12 * time.Minute)
		stopOne()
		stopOther()
		require.Equal(t, []string{"a"}, ran())
	})
	bubble(t, "a lost claim ends the callback's context with cause ErrClaimLost", func(t *testing.T) {
		in := &moodyInbox{MemInbox: &webhook.MemInbox{}, onExtend: func(context.Context) error {
			return fmt.Errorf("gone: %w", webhook.ErrClaimLost)
		}}
		cause := make(chan error, 1)
		w, _ := quietly(in, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
			if c, _ := webhook.ClaimFromContext(ctx); c.Attempt > 1 {
				return nil
			}
			<-ctx.Done()
			cause <- context.Cause(ctx)
			return ctx.Err()
		}))
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(11 * time.Second) // one beat, a third of the lease
		require.ErrorIs(t, <-cause, webhook.ErrClaimLost)
		stop()
	})
	bubble(t, "a lease that cannot be renewed is taken for lost when it ends, not before", func(t *testing.T) {
		in := &moodyInbox{MemInbox: &webhook.MemInbox{}, onExtend: func(context.Context) error { return errBoom }}
		ended := make(chan time.Duration, 1)
		w, _ := quietly(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			begun := time.Now()
			<-ctx.Done()
			if errors.Is(context.Cause(ctx), webhook.ErrClaimLost) {
				ended <- time.Since(begun)
			}
			return webhook.Permanent(ctx.Err())
		}))
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(35 * time.Second)
		require.Equal(t, 30*time.Second, <-ended)
		stop()
	})
	bubble(t, "a hiccup while renewing loses nothing", func(t *testing.T) {
		begun := time.Now()
		in := &moodyInbox{MemInbox: &webhook.MemInbox{}, onExtend: func(context.Context) error {
			if s := time.Since(begun); s > time.Minute && s < 75*time.Second {
				return errBoom
			}
			return nil
		}}
		w, j := quietly(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			work(3 * time.Minute)
			return ctx.Err()
		}))
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(4 * time.Minute)
		stop()
		require.Equal(t, []webhook.State{webhook.Done}, j.states())
	})
	bubble(t, "an inbox that hangs while renewing does not keep a callback from its end", func(t *testing.T) {
		in := &moodyInbox{MemInbox: &webhook.MemInbox{}, onExtend: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		w, j := quietly(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			work(12 * time.Second)
			return nil
		}))
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(13 * time.Second)
		stop()
		require.Equal(t, []webhook.State{webhook.Done}, j.states())
	})
	bubble(t, "work that outlived its lease counts if nobody began it again", func(t *testing.T) {
		in := &moodyInbox{MemInbox: &webhook.MemInbox{}, onExtend: func(context.Context) error { return errBoom }}
		h, ran := recorded(func(context.Context, *webhook.Delivery) error { work(45 * time.Second); return nil })
		w, j := quietly(in, h)
		w.Limit = 1 // so that this Worker does not begin it again itself
		d := arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(time.Minute)
		stop()
		require.Equal(t, webhook.Done, stateOf(t, in, d))
		require.Equal(t, []string{"a"}, ran())
		require.Empty(t, j.lost)
	})
	bubble(t, "a late worker cannot settle", func(t *testing.T) {
		mem := &webhook.MemInbox{}
		cut := &moodyInbox{MemInbox: mem, onExtend: func(context.Context) error { return errBoom }}
		late, lateJournal := quietly(cut, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			work(2 * time.Minute) // ignores its context
			return webhook.Permanent(errBoom)
		}))
		late.Limit = 1
		prompt, promptJournal := quietly(mem, webhook.HandlerFunc(succeed))
		d := arrive(t, mem, "a", nil)
		stopLate := start(t, late)
		pass(time.Second)
		stopPrompt := start(t, prompt)
		pass(3 * time.Minute)
		stopLate()
		stopPrompt()
		require.Equal(t, webhook.Done, stateOf(t, mem, d))
		require.Len(t, lateJournal.lost, 1)
		require.Empty(t, lateJournal.states())
		require.Equal(t, []webhook.State{webhook.Done}, promptJournal.states())
	})
	bubble(t, "more attempts than the maximum end dead without running", func(t *testing.T) {
		in := &webhook.MemInbox{}
		d := arrive(t, in, "poison", nil)
		for range 3 { // processes that it killed
			claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 1, Lease: time.Second})
			require.NoError(t, err)
			require.Len(t, claims, 1)
			pass(2 * time.Second)
		}
		h, ran := recorded(succeed)
		w, j := quietly(in, h)
		w.MaxAttempts = 3
		stop := start(t, w)
		pass(time.Second)
		stop()
		require.Empty(t, ran())
		require.Equal(t, webhook.Dead, stateOf(t, in, d))
		require.NotEmpty(t, j.last().Reason)
	})
	bubble(t, "the context tells attempt and fence", func(t *testing.T) {
		in := &webhook.MemInbox{}
		var seen []webhook.Claim
		w, _ := quietly(in, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
			c, ok := webhook.ClaimFromContext(ctx)
			require.True(t, ok)
			require.Same(t, d, c.Delivery)
			seen = append(seen, c)
			if c.Attempt == 1 {
				return errBoom
			}
			return nil
		}))
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(time.Minute)
		stop()
		require.Len(t, seen, 2)
		require.Equal(t, 2, seen[1].Attempt)
		require.Greater(t, seen[1].Fence, seen[0].Fence)
		_, ok := webhook.ClaimFromContext(t.Context())
		require.False(t, ok)
	})
}

func TestPromise4_PerKeyOrder(t *testing.T) {
	bubble(t, "one at a time of a key, in order, and other keys beside it", func(t *testing.T) {
		in := &webhook.MemInbox{}
		var running, most atomic.Int64
		h, ran := recorded(func(_ context.Context, d *webhook.Delivery) error {
			if d.Key == "key" {
				most.Store(max(most.Load(), running.Add(1)))
				defer running.Add(-1)
			}
			work(time.Second)
			return nil
		})
		w, _ := quietly(in, h)
		for _, uid := range []string{"k1", "k2", "k3"} {
			arrive(t, in, uid, keyed("key"))
		}
		arrive(t, in, "other", keyed("other"))
		stop := start(t, w)
		pass(500 * time.Millisecond)
		require.ElementsMatch(t, []string{"k1", "other"}, ran())
		pass(5 * time.Second)
		stop()
		inOrder := slices.DeleteFunc(ran(), func(uid string) bool { return uid == "other" })
		require.Equal(t, []string{"k1", "k2", "k3"}, inOrder)
		require.EqualValues(t, 1, most.Load())
	})
	failFirst := func() (webhook.Handler, func() []string) {
		return recorded(func(ctx context.Context, d *webhook.Delivery) error {
			if c, _ := webhook.ClaimFromContext(ctx); d.UID == "first" && c.Attempt == 1 {
				return errBoom
			}
			return nil
		})
	}
	bubble(t, "a retry holds its key", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := failFirst()
		w, _ := quietly(in, h)
		arrive(t, in, "first", keyed("key"))
		arrive(t, in, "second", keyed("key"))
		stop := start(t, w)
		pass(time.Minute)
		stop()
		require.Equal(t, []string{"first", "first", "second"}, ran())
	})
	bubble(t, "SkipRetrying lets the next one pass", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := failFirst()
		w, _ := quietly(in, h)
		w.SkipRetrying = true
		arrive(t, in, "first", keyed("key"))
		arrive(t, in, "second", keyed("key"))
		stop := start(t, w)
		pass(time.Minute)
		stop()
		require.Equal(t, []string{"first", "second", "first"}, ran())
	})
	bubble(t, "Timeout ends the context with cause ErrClaimLost and the attempt counts", func(t *testing.T) {
		in := &webhook.MemInbox{}
		var took time.Duration
		w, j := quietly(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			if c, _ := webhook.ClaimFromContext(ctx); c.Attempt > 1 {
				return nil
			}
			begun := time.Now()
			<-ctx.Done()
			took = time.Since(begun)
			require.ErrorIs(t, context.Cause(ctx), webhook.ErrClaimLost)
			return ctx.Err()
		}))
		w.Timeout = time.Minute
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(2 * time.Minute)
		stop()
		require.Equal(t, time.Minute, took)
		require.Equal(t, []webhook.State{webhook.Waiting, webhook.Done}, j.states())
		require.Contains(t, j.settled[0].Reason, "Worker.Timeout")
		require.False(t, j.settled[0].Uncounted)
	})
	bubble(t, "the heartbeat stops at Timeout", func(t *testing.T) {
		in := &webhook.MemInbox{}
		var runs atomic.Int64
		w, _ := quietly(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			if runs.Add(1) == 1 {
				work(10 * time.Minute) // ignores its context
			}
			return nil
		}))
		w.Timeout = time.Minute
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(2 * time.Minute)
		require.EqualValues(t, 2, runs.Load(), "another attempt begins when the lease has ended")
		pass(10 * time.Minute)
		stop()
	})
}

func TestPromise5_CoalescingIsDataAtPut(t *testing.T) {
	bubble(t, "of a burst the newest runs, once", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(succeed)
		w, _ := quietly(in, h)
		stop := start(t, w)
		for _, uid := range []string{"1", "2", "3", "4"} {
			arrive(t, in, uid, func(d *webhook.Delivery) {
				d.Key, d.Coalesce = "image:tag", webhook.Coalesce{Quiet: 10 * time.Second, Max: time.Minute}
			})
			pass(5 * time.Second)
		}
		require.Empty(t, ran())
		pass(time.Minute)
		stop()
		require.Equal(t, []string{"4"}, ran())
		require.Equal(t, map[webhook.State]int{webhook.Superseded: 3, webhook.Done: 1}, in.Stats())
	})
	bubble(t, "a retry of the older gives way to the newer", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(func(_ context.Context, d *webhook.Delivery) error {
			work(2 * time.Second)
			if d.UID == "old" {
				return errBoom
			}
			return nil
		})
		w, _ := quietly(in, h)
		coalesce := func(d *webhook.Delivery) {
			d.Key, d.Coalesce = "image:tag", webhook.Coalesce{Quiet: time.Second}
		}
		stop := start(t, w)
		old := arrive(t, in, "old", coalesce)
		pass(1500 * time.Millisecond)
		arrive(t, in, "new", coalesce)
		pass(time.Minute)
		stop()
		require.Equal(t, []string{"old", "new"}, ran())
		require.Equal(t, webhook.Superseded, stateOf(t, in, old))
	})
}

func TestPromise6_AWorkerTakesOnlyTheTypesItsHandlerRoutes(t *testing.T) {
	wrappers := map[string]func(h webhook.Handler) webhook.Handler{
		"a Mux":                        func(h webhook.Handler) webhook.Handler { return h },
		"a Mux in Recover":             webhook.Recover,
		"a Mux in Timeout":             func(h webhook.Handler) webhook.Handler { return webhook.Timeout(time.Minute, h) },
		"a Mux in Recover and Timeout": func(h webhook.Handler) webhook.Handler { return webhook.Recover(webhook.Timeout(time.Minute, h)) },
	}
	for name, wrap := range wrappers {
		bubble(t, name+" leaves what others handle", func(t *testing.T) {
			in := &webhook.MemInbox{}
			h, ran := recorded(succeed)
			var mux webhook.Mux
			mux.Route("github.push", h)
			w, _ := quietly(in, wrap(&mux))
			arrive(t, in, "push", typed("github.push"))
			others := arrive(t, in, "image", typed("dockerhub.push"))
			stop := start(t, w)
			pass(time.Hour)
			stop()
			require.Equal(t, []string{"push"}, ran())
			require.Equal(t, webhook.Waiting, stateOf(t, in, others))
			claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 1})
			require.NoError(t, err)
			require.Equal(t, 1, claims[0].Attempt, "it was never claimed")
		})
	}
	bubble(t, "a Mux without routes claims nothing", func(t *testing.T) {
		in := &webhook.MemInbox{}
		d := arrive(t, in, "a", nil)
		w, j := quietly(in, &webhook.Mux{})
		stop := start(t, w)
		pass(time.Minute)
		stop()
		require.Empty(t, j.claimed)
		require.Equal(t, webhook.Waiting, stateOf(t, in, d))
	})
	bubble(t, "IgnoreRest settles the rest as ignored", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(succeed)
		mux := &webhook.Mux{IgnoreRest: true}
		mux.Route("github.push", h)
		w, _ := quietly(in, mux)
		pushed := arrive(t, in, "push", typed("github.push"))
		rest := arrive(t, in, "star", typed("github.star"))
		stop := start(t, w)
		pass(time.Minute)
		stop()
		require.Equal(t, []string{"push"}, ran())
		require.Equal(t, webhook.Done, stateOf(t, in, pushed))
		require.Equal(t, webhook.Ignored, stateOf(t, in, rest))
	})
	bubble(t, "Default handles the rest", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(succeed)
		w, _ := quietly(in, &webhook.Mux{Default: h, IgnoreRest: true})
		arrive(t, in, "star", typed("github.star"))
		stop := start(t, w)
		pass(time.Minute)
		stop()
		require.Equal(t, []string{"star"}, ran())
	})
}

func TestPromise8_NothingAuthenticIsThrownAway(t *testing.T) {
	bubble(t, "a malformed body ends dead with the reason, after one attempt", func(t *testing.T) {
		in := &webhook.MemInbox{}
		var mux webhook.Mux
		webhook.On(&mux, func(context.Context, *webhook.Event[greeting]) error { return nil })
		w, j := quietly(in, &mux)
		d := arrive(t, in, "a", func(d *webhook.Delivery) { d.Type, d.Body = "test.greeting", []byte("{") })
		stop := start(t, w)
		pass(time.Minute)
		stop()
		require.Equal(t, webhook.Dead, stateOf(t, in, d))
		require.Len(t, j.claimed, 1)
		require.Contains(t, j.last().Reason, webhook.ErrMalformed.Error())
	})
	bubble(t, "a panic is contained, tried again, and leaves its neighbours alone", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(func(ctx context.Context, d *webhook.Delivery) error {
			if c, _ := webhook.ClaimFromContext(ctx); d.UID == "bad" && c.Attempt == 1 {
				panic(webhook.ErrDuplicate)
			}
			work(time.Second)
			return nil
		})
		w, j := quietly(in, h)
		bad := arrive(t, in, "bad", nil)
		good := arrive(t, in, "good", nil)
		stop := start(t, w)
		pass(time.Minute)
		stop()
		require.Equal(t, webhook.Done, stateOf(t, in, bad))
		require.Equal(t, webhook.Done, stateOf(t, in, good))
		require.Len(t, ran(), 3)
		require.Equal(t, []webhook.State{webhook.Waiting, webhook.Done, webhook.Done}, j.states())
	})
	bubble(t, "a callback that ends its goroutine costs no slot and runs again", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, j := quietly(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			if c, _ := webhook.ClaimFromContext(ctx); c.Attempt == 1 {
				runtime.Goexit()
			}
			return nil
		}))
		w.Limit = 1
		d := arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(time.Minute)
		stop()
		require.Equal(t, webhook.Done, stateOf(t, in, d))
		require.Len(t, j.claimed, 2)
	})
	bubble(t, "an error whose text panics is contained", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, j := quietly(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			return webhook.Permanent(speechless{})
		}))
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(time.Second)
		stop()
		require.Equal(t, []webhook.State{webhook.Dead}, j.states())
	})
	bubble(t, "the reason is text of at most 4 KiB that every database takes", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, j := quietly(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			return webhook.Permanent(errors.New(strings.Repeat("\x00\xff\u4e16", 4000)))
		}))
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(time.Second)
		stop()
		got := j.last().Reason
		require.LessOrEqual(t, len(got), 4<<10)
		require.Equal(t, strings.ToValidUTF8(got, "?"), got)
		require.NotContains(t, got, "\x00")
	})
}

// speechless is an error whose text cannot be had.
type speechless struct{}

func (speechless) Error() string { panic("no words") }

func TestPromise9_Bounded(t *testing.T) {
	bubble(t, "no more run at once than Limit", func(t *testing.T) {
		in := &webhook.MemInbox{}
		var running, most atomic.Int64
		w, j := quietly(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			work(time.Second)
			return nil
		}))
		w.Limit = 3
		for i := range 20 {
			arrive(t, in, fmt.Sprint(i), nil)
		}
		stop := start(t, w)
		pass(7500 * time.Millisecond)
		stop()
		require.EqualValues(t, 3, most.Load())
		require.Len(t, j.states(), 20)
	})
	bubble(t, "what is finished for longer than Keep is forgotten", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, _ := quietly(in, webhook.HandlerFunc(succeed))
		w.Keep = time.Hour
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(50 * time.Minute)
		require.Equal(t, 1, in.Stats()[webhook.Done])
		pass(15 * time.Minute)
		require.Empty(t, in.Stats())
		stop()
	})
	bubble(t, "more than one batch is forgotten at once", func(t *testing.T) {
		in := &webhook.MemInbox{}
		for i := range 2500 {
			arrive(t, in, fmt.Sprint(i), nil)
		}
		claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 2500})
		require.NoError(t, err)
		for _, c := range claims {
			require.NoError(t, in.Settle(t.Context(), c, webhook.Outcome{State: webhook.Done}))
		}
		pass(2 * time.Hour)
		w, _ := quietly(in, webhook.HandlerFunc(succeed))
		w.Keep = time.Hour
		stop := start(t, w)
		synctest.Wait()
		require.Empty(t, in.Stats())
		stop()
	})
	bubble(t, "a negative Keep keeps for ever", func(t *testing.T) {
		var sweeps atomic.Int64
		in := &moodyInbox{MemInbox: &webhook.MemInbox{}, onSweep: func() { sweeps.Add(1) }}
		w, _ := quietly(in, webhook.HandlerFunc(succeed))
		w.Keep = -1
		stop := start(t, w)
		pass(time.Hour)
		stop()
		require.Zero(t, sweeps.Load())
	})
}

func TestPromise10_ShutdownDrains(t *testing.T) {
	bubble(t, "what is under way finishes within Grace, on a context that lives on", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, j := quietly(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(5 * time.Second):
				return nil
			}
		}))
		d := arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(time.Second)
		begun := time.Now()
		stop()
		require.Equal(t, 4*time.Second, time.Since(begun), "Run returns when the last is settled")
		require.Equal(t, webhook.Done, stateOf(t, in, d))
		require.Equal(t, []webhook.State{webhook.Done}, j.states())
	})
	bubble(t, "nothing is claimed after the context has ended", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(func(context.Context, *webhook.Delivery) error { work(2 * time.Second); return nil })
		w, _ := quietly(in, h)
		w.Limit = 1
		arrive(t, in, "a", nil)
		left := arrive(t, in, "b", nil)
		stop := start(t, w)
		pass(time.Second)
		stop()
		require.Equal(t, []string{"a"}, ran())
		require.Equal(t, webhook.Waiting, stateOf(t, in, left))
	})
	bubble(t, "callbacks keep the values of Run's context", func(t *testing.T) {
		type key struct{}
		in := &webhook.MemInbox{}
		got := make(chan any, 1)
		w, _ := quietly(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			got <- ctx.Value(key{})
			return nil
		}))
		arrive(t, in, "a", nil)
		ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, "value"), time.Second)
		defer cancel()
		require.ErrorIs(t, w.Run(ctx), context.DeadlineExceeded)
		require.Equal(t, "value", <-got)
	})
	over := map[string]func(ctx context.Context, d *webhook.Delivery) error{
		"which returns its context's error": heed,
		"which returns the cause": func(ctx context.Context, _ *webhook.Delivery) error {
			<-ctx.Done()
			return context.Cause(ctx)
		},
		"which fails in its own words": func(ctx context.Context, _ *webhook.Delivery) error {
			<-ctx.Done()
			return errors.New("signal: killed")
		},
		"which takes the end for permanent": func(ctx context.Context, _ *webhook.Delivery) error {
			<-ctx.Done()
			return webhook.Permanent(ctx.Err())
		},
	}
	for name, f := range over {
		bubble(t, "what is over Grace is given back uncounted: a callback "+name, func(t *testing.T) {
			in := &webhook.MemInbox{}
			cause := make(chan error, 1)
			w, j := quietly(in, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
				err := f(ctx, d)
				cause <- context.Cause(ctx)
				return err
			}))
			w.Grace = 3 * time.Second
			w.MaxAttempts = 1
			arrive(t, in, "a", nil)
			stop := start(t, w)
			pass(time.Second)
			begun := time.Now()
			stop()
			require.Equal(t, 3*time.Second, time.Since(begun))
			require.ErrorIs(t, <-cause, webhook.ErrShutdown)
			require.Equal(t, []webhook.State{webhook.Waiting}, j.states())
			claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 1})
			require.NoError(t, err)
			require.Len(t, claims, 1, "it can be claimed at once")
			require.Equal(t, 1, claims[0].Attempt)
		})
	}
	bubble(t, "a callback that succeeds late counts", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, j := quietly(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			<-ctx.Done()
			return nil
		}))
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(time.Second)
		stop()
		require.Equal(t, []webhook.State{webhook.Done}, j.states())
	})
	bubble(t, "what a callback holds that ignores its context is given back, and Run returns", func(t *testing.T) {
		in := &webhook.MemInbox{}
		release := make(chan struct{})
		w, j := quietly(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			<-release
			return nil
		}))
		d := arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(time.Second)
		begun := time.Now()
		stop()
		require.Equal(t, 9*time.Second, time.Since(begun), "Grace and a second")
		require.Equal(t, webhook.Waiting, stateOf(t, in, d))
		require.True(t, j.last().Uncounted)
		close(release)
		synctest.Wait()
		require.Equal(t, webhook.Waiting, stateOf(t, in, d), "what it did later does not count")
		require.Len(t, j.states(), 1, "its end is told once")
		require.Empty(t, j.lost)
	})
	bubble(t, "an outcome that the inbox would not take is offered once more, not thrown away", func(t *testing.T) {
		var refused atomic.Int64
		in := &moodyInbox{MemInbox: &webhook.MemInbox{}}
		in.onSettle = func(ctx context.Context) error {
			if _, last := ctx.Deadline(); last && refused.Add(1) <= 6 {
				return errBoom
			}
			return nil
		}
		h, ran := recorded(succeed)
		w, j := quietly(in, h)
		w.Poll = 2 * time.Second
		d := arrive(t, in, "a", nil)
		stop := start(t, w)
		synctest.Wait()
		refused.Store(4) // the next two fail, in Grace
		stop()
		require.Equal(t, webhook.Done, stateOf(t, in, d))
		require.Equal(t, []string{"a"}, ran())
		require.Equal(t, []webhook.State{webhook.Done}, j.states())
	})
	bubble(t, "an inbox that is down does not keep Run", func(t *testing.T) {
		in := &moodyInbox{MemInbox: &webhook.MemInbox{}, onSettle: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		w, j := quietly(in, webhook.HandlerFunc(succeed))
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(time.Second)
		begun := time.Now()
		stop()
		require.Equal(t, 10*time.Second, time.Since(begun), "Grace and two seconds")
		pass(time.Minute)
		require.Len(t, j.lost, 1)
	})
}

func TestWhatAHandlerReturnsDecides(t *testing.T) {
	type outcome struct {
		State     webhook.State
		Delay     time.Duration
		Uncounted bool
	}
	var nobody webhook.Mux
	for _, test := range []struct {
		name string
		err  error
		want outcome
	}{
		{"nil is done", nil, outcome{State: webhook.Done}},
		{"a duplicate is done", &webhook.DuplicateError{UID: "other"}, outcome{State: webhook.Done}},
		{"ErrIgnored is ignored", fmt.Errorf("a branch: %w", webhook.ErrIgnored), outcome{State: webhook.Ignored}},
		{"Permanent is dead", webhook.Permanent(errBoom), outcome{State: webhook.Dead}},
		{"Permanent inside is dead", fmt.Errorf("deploy: %w", webhook.Permanent(errBoom)), outcome{State: webhook.Dead}},
		{"ErrMalformed is dead", fmt.Errorf("alpha: %w", webhook.ErrMalformed), outcome{State: webhook.Dead}},
		{"RetryAfter waits as it says", webhook.RetryAfter(42*time.Second, errBoom), outcome{State: webhook.Waiting, Delay: 42 * time.Second}},
		{"a negative RetryAfter is at once", webhook.RetryAfter(-time.Hour, errBoom), outcome{State: webhook.Waiting}},
		{"no handler is put back uncounted", nobody.Handle(t.Context(), &webhook.Delivery{Type: "alpha.event"}), outcome{State: webhook.Waiting, Delay: time.Minute, Uncounted: true}},
	} {
		bubble(t, test.name, func(t *testing.T) {
			in := &webhook.MemInbox{}
			var runs atomic.Int64
			w, j := quietly(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
				if runs.Add(1) > 1 {
					return nil
				}
				return test.err
			}))
			arrive(t, in, "a", nil)
			stop := start(t, w)
			synctest.Wait()
			stop()
			i := slices.Index(j.fences, 1) // the second run may be told of first
			require.GreaterOrEqual(t, i, 0)
			first := j.settled[i]
			if diff := cmp.Diff(test.want, outcome{first.State, first.Delay, first.Uncounted}); diff != "" {
				t.Error(diff)
			}
			if test.err != nil && test.want.State != webhook.Done && first.Reason != test.err.Error() {
				t.Errorf("reason %q, want %q", first.Reason, test.err)
			}
		})
	}
	bubble(t, "another error is tried again after Retry until MaxAttempts, then it is dead", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(func(context.Context, *webhook.Delivery) error { return errBoom })
		w, j := quietly(in, h)
		w.MaxAttempts = 4
		w.Retry = webhook.Backoff{First: 10 * time.Second, Max: time.Minute}
		d := arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(time.Hour)
		stop()
		require.Len(t, ran(), 4)
		require.Equal(t, webhook.Dead, stateOf(t, in, d))
		for i, most := range []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second} {
			require.LessOrEqual(t, j.settled[i].Delay, most)
			require.GreaterOrEqual(t, j.settled[i].Delay, most/2)
		}
	})
	bubble(t, "RetryAfter does not outlast MaxAttempts", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, j := quietly(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			return webhook.RetryAfter(time.Second, errBoom)
		}))
		w.MaxAttempts = 2
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(time.Minute)
		stop()
		require.Equal(t, []webhook.State{webhook.Waiting, webhook.Dead}, j.states())
	})
}

func TestAWorkerSurvivesAnInboxThatFails(t *testing.T) {
	bubble(t, "claiming backs off and recovers", func(t *testing.T) {
		var asked atomic.Int64
		down := atomic.Bool{}
		down.Store(true)
		in := &moodyInbox{MemInbox: &webhook.MemInbox{}, onClaim: func(context.Context) error {
			asked.Add(1)
			if down.Load() {
				return errBoom
			}
			return nil
		}}
		h, ran := recorded(succeed)
		w, _ := quietly(in, h)
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(time.Minute)
		if n := asked.Load(); n < 10 || n > 20 {
			t.Errorf("asked %d times in a minute, want about once in 5 s", n)
		}
		for i := range 100 {
			arrive(t, in, fmt.Sprint("new ", i), nil)
			synctest.Wait()
		}
		if n := asked.Load(); n > 20 {
			t.Errorf("asked %d times: the inbox's signal breaks through the pause", n)
		}
		down.Store(false)
		pass(5 * time.Second)
		require.Len(t, ran(), 101)
		arrive(t, in, "b", nil)
		synctest.Wait()
		require.Len(t, ran(), 102, "it listens to the inbox's signal again")
		stop()
	})
	bubble(t, "Run ends while a claim hangs", func(t *testing.T) {
		in := &moodyInbox{MemInbox: &webhook.MemInbox{}, onClaim: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		w, _ := quietly(in, webhook.HandlerFunc(succeed))
		stop := start(t, w)
		pass(time.Second)
		stop()
	})
}

func TestAWorkerLearnsOfWork(t *testing.T) {
	bubble(t, "at once from an inbox that notifies", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(succeed)
		w, _ := quietly(in, h)
		w.Poll = time.Hour
		stop := start(t, w)
		pass(time.Second)
		arrive(t, in, "a", nil)
		synctest.Wait()
		require.Equal(t, []string{"a"}, ran())
		stop()
	})
	bubble(t, "by asking where it does not", func(t *testing.T) {
		in := plainInbox{&webhook.MemInbox{}}
		h, ran := recorded(succeed)
		w, _ := quietly(in, h)
		stop := start(t, w)
		pass(time.Second)
		arrive(t, in, "a", nil)
		pass(200 * time.Millisecond)
		require.Equal(t, []string{"a"}, ran())
		stop()
	})
	bubble(t, "and asks again at once while there is more", func(t *testing.T) {
		in := plainInbox{&webhook.MemInbox{}}
		h, ran := recorded(succeed)
		w, _ := quietly(in, h)
		w.Limit, w.Poll = 2, time.Hour
		for i := range 9 {
			arrive(t, in, fmt.Sprint(i), nil)
		}
		stop := start(t, w)
		synctest.Wait()
		require.Len(t, ran(), 9)
		stop()
	})
	bubble(t, "and of a retry when it is due", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(func(ctx context.Context, _ *webhook.Delivery) error {
			if c, _ := webhook.ClaimFromContext(ctx); c.Attempt == 1 {
				return webhook.RetryAfter(10*time.Second, errBoom)
			}
			return nil
		})
		w, _ := quietly(in, h)
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(9900 * time.Millisecond)
		require.Len(t, ran(), 1)
		pass(300 * time.Millisecond)
		require.Len(t, ran(), 2)
		stop()
	})
}

func TestObserverIsToldOfEveryAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, j := quietly(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			work(3 * time.Second)
			return nil
		}))
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(5 * time.Second)
		stop()
		require.Len(t, j.claimed, 1)
		require.Equal(t, "a", j.claimed[0].Delivery.UID)
		require.Equal(t, []webhook.State{webhook.Done}, j.states())
		require.Equal(t, []time.Duration{3 * time.Second}, j.took)
		require.Empty(t, j.lost)

		w.Observe = &webhook.Observer{} // told nobody
		stop = start(t, w)              // Run may be called again
		arrive(t, in, "b", nil)
		pass(5 * time.Second)
		stop()
		require.Equal(t, 2, in.Stats()[webhook.Done])
	})
}

func TestNewWorkerPanicsOnMisuse(t *testing.T) {
	require.Panics(t, func() { webhook.NewWorker(nil, webhook.HandlerFunc(succeed)) })
	require.Panics(t, func() { webhook.NewWorker(&webhook.MemInbox{}, nil) })
}
