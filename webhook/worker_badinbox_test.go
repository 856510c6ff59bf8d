package webhook_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/hookhouse/hookhouse/webhook"
)

// An alteredInbox changes what a Claim returns.
type alteredInbox struct {
	*webhook.MemInbox
	alter   func(claims []webhook.Claim) []webhook.Claim
	changed func() <-chan struct{}
}

func (in *alteredInbox) Claim(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
	claims, err := in.MemInbox.Claim(ctx, o)
	if in.alter != nil && len(claims) > 0 {
		claims = in.alter(claims)
	}
	return claims, err
}

func (in *alteredInbox) Changed() <-chan struct{} {
	if in.changed != nil {
		return in.changed()
	}
	return in.MemInbox.Changed()
}

func TestAnInboxThatBreaksItsWordStopsNoWorker(t *testing.T) {
	bubble(t, "by a claim without a delivery", func(t *testing.T) {
		in := &alteredInbox{MemInbox: &webhook.MemInbox{}}
		in.alter = func(claims []webhook.Claim) []webhook.Claim {
			return append([]webhook.Claim{{Fence: 1}}, claims...)
		}
		h, ran := recorded(succeed)
		w, j := quietly(in, h)
		arrive(t, in, "a", nil)
		stop := start(t, w)
		synctest.Wait()
		require.Error(t, w.Health().LastError)
		pass(time.Minute)
		stop()
		require.Equal(t, []string{"a"}, ran())
		require.Equal(t, []webhook.State{webhook.Done}, j.states())
	})
	bubble(t, "by the same claim twice", func(t *testing.T) {
		in := &alteredInbox{MemInbox: &webhook.MemInbox{}}
		in.alter = func(claims []webhook.Claim) []webhook.Claim { return append(claims, claims[0]) }
		h, ran := recorded(func(context.Context, *webhook.Delivery) error { work(time.Second); return nil })
		w, j := quietly(in, h)
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(time.Minute)
		stop()
		require.Equal(t, []string{"a"}, ran())
		require.Len(t, j.settled, 1)
	})
	bubble(t, "by more claims than were asked for", func(t *testing.T) {
		in := &alteredInbox{MemInbox: &webhook.MemInbox{}}
		in.alter = func(claims []webhook.Claim) []webhook.Claim {
			more, _ := in.MemInbox.Claim(t.Context(), webhook.ClaimOptions{N: 3})
			return append(claims, more...)
		}
		var running, most atomic.Int64
		h, ran := recorded(func(context.Context, *webhook.Delivery) error {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			work(time.Second)
			return nil
		})
		w, _ := quietly(in, h)
		w.Concurrency = 2
		for i := range 8 {
			arrive(t, in, fmt.Sprint(i), nil)
		}
		stop := start(t, w)
		pass(5 * time.Minute)
		begun := time.Now()
		stop()
		require.Zero(t, time.Since(begun), "nothing is under way")
		require.EqualValues(t, 2, most.Load())
		require.Len(t, ran(), 8)
		require.Equal(t, map[webhook.State]int{webhook.Done: 8}, counts(t, in))
	})
	bubble(t, "by a Changed that panics", func(t *testing.T) {
		in := &alteredInbox{MemInbox: &webhook.MemInbox{}}
		in.changed = func() <-chan struct{} { panic("boom") }
		h, ran := recorded(succeed)
		w, _ := quietly(in, h)
		stop := start(t, w)
		arrive(t, in, "a", nil)
		pass(time.Second)
		stop()
		require.Equal(t, []string{"a"}, ran())
	})
	bubble(t, "by a Begin without a delivery", func(t *testing.T) {
		in := &emptyBegin{MemInbox: &webhook.MemInbox{}}
		suspects(t, in.MemInbox, "a")
		var ran atomic.Bool
		w, _ := quietly(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			ran.Store(true)
			return nil
		}))
		stop := start(t, w)
		pass(10 * time.Minute)
		stop()
		require.False(t, ran.Load())
	})
	bubble(t, "by an Extend that never returns", func(t *testing.T) {
		in := &moodyInbox{MemInbox: &webhook.MemInbox{}}
		end := make(chan struct{})
		in.onExtend = func(context.Context) error { <-end; return errBoom }
		cause := make(chan error, 1)
		w, _ := quietly(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			<-ctx.Done()
			cause <- context.Cause(ctx)
			return nil
		}))
		arrive(t, in, "a", nil)
		begun := time.Now()
		stop := start(t, w)
		require.ErrorIs(t, <-cause, webhook.ErrClaimLost)
		require.Equal(t, 30*time.Second, time.Since(begun).Round(time.Second), "when its lease ends")
		close(end)
		stop()
	})
	bubble(t, "by ending the goroutine", func(t *testing.T) {
		for name, set := range map[string]func(in *moodyInbox, f func(context.Context) error){
			"Extend": func(in *moodyInbox, f func(context.Context) error) { in.onExtend = f },
			"Begin":  func(in *moodyInbox, f func(context.Context) error) { in.onBegin = f },
			"Settle": func(in *moodyInbox, f func(context.Context) error) { in.onSettle = f },
		} {
			in := &moodyInbox{MemInbox: &webhook.MemInbox{}}
			suspects(t, in.MemInbox, "a")
			var asked atomic.Int64
			set(in, func(context.Context) error {
				if asked.Add(1) == 1 {
					runtime.Goexit()
				}
				return nil
			})
			h, ran := recorded(func(context.Context, *webhook.Delivery) error { work(time.Minute); return nil })
			w, j := quietly(in, h)
			w.Concurrency = 1
			stop := start(t, w)
			pass(10 * time.Minute)
			arrive(t, in, "b", nil)
			pass(10 * time.Minute)
			begun := time.Now()
			stop()
			require.Zero(t, time.Since(begun), name)
			require.Contains(t, ran(), "a", name)
			require.Contains(t, ran(), "b", name)
			require.Len(t, j.claimed, len(j.settled)+len(j.lost), name)
		}
	})
}

// An emptyBegin has nothing in hand.
type emptyBegin struct{ *webhook.MemInbox }

func (in *emptyBegin) Begin(context.Context, webhook.Claim) (webhook.Claim, error) {
	return webhook.Claim{}, nil
}

func TestAnObserverThatEndsItsGoroutineCostsNothingElse(t *testing.T) {
	for name, set := range map[string]func(o *webhook.Observer, f func()){
		"Claimed": func(o *webhook.Observer, f func()) { o.Claimed = func(webhook.Claim) { f() } },
		"Settled": func(o *webhook.Observer, f func()) {
			o.Settled = func(webhook.Claim, webhook.Outcome, time.Duration) { f() }
		},
		"Overdue": func(o *webhook.Observer, f func()) { o.Overdue = func(webhook.Claim, time.Duration) { f() } },
	} {
		bubble(t, name, func(t *testing.T) {
			in := &webhook.MemInbox{}
			h, ran, release := hang()
			w, _ := quietly(in, h)
			w.Concurrency, w.KeepRunning = 1, true
			var once sync.Once
			set(w.Observer, func() { once.Do(runtime.Goexit) })
			d := arrive(t, in, "hang", nil)
			stop := start(t, w)
			pass(45 * time.Minute)
			release(9)
			arrive(t, in, "b", nil)
			pass(time.Hour)
			require.Contains(t, ran(), "b")
			require.Equal(t, webhook.Done, stateOf(t, in, d))
			begun := time.Now()
			stop()
			require.Zero(t, time.Since(begun))
		})
	}
}

// A stallingInbox does not answer the first settlement. The end of its context
// takes a while to go round, so that whoever waits for it is quicker than whoever
// ends it.
type stallingInbox struct {
	*webhook.MemInbox
	asked   atomic.Bool
	cancels []context.CancelFunc
}

func (in *stallingInbox) Settle(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
	if in.asked.Swap(true) {
		return in.MemInbox.Settle(ctx, c, o)
	}
	for range 20_000 {
		_, cancel := context.WithCancel(ctx)
		in.cancels = append(in.cancels, cancel)
	}
	<-ctx.Done()
	return "", ctx.Err()
}

func TestWhatIsUnsettledWhenRunLeavesIsOfferedOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &stallingInbox{MemInbox: &webhook.MemInbox{}}
		w, j := quietly(in, webhook.HandlerFunc(succeed))
		w.Lease = time.Hour
		d := arrive(t, in, "a", nil)
		stop := startFor(t, w, webhook.ErrShutdown)
		synctest.Wait()
		stop()
		require.Equal(t, []webhook.State{webhook.Done}, j.states())
		require.Equal(t, webhook.Done, stateOf(t, in, d))
	})
}

// A deafInbox ignores contexts: the calls that f names do not return.
type deafInbox struct {
	*moodyInbox
	onSweep func()
}

func (in *deafInbox) Sweep(ctx context.Context) (int, error) {
	if in.onSweep != nil {
		in.onSweep()
	}
	return in.MemInbox.Sweep(ctx)
}

func TestShutdownEndsAlsoWithAnInboxThatIgnoresItsContext(t *testing.T) {
	const most = 8*time.Second + 2*time.Second + 100*time.Millisecond
	for name, set := range map[string]func(in *deafInbox, f func(context.Context) error){
		"Claim":  func(in *deafInbox, f func(context.Context) error) { in.onClaim = f },
		"Begin":  func(in *deafInbox, f func(context.Context) error) { in.onBegin = f },
		"Extend": func(in *deafInbox, f func(context.Context) error) { in.onExtend = f },
		"Settle": func(in *deafInbox, f func(context.Context) error) { in.onSettle = f },
		"Sweep":  func(in *deafInbox, f func(context.Context) error) { in.onSweep = func() { _ = f(t.Context()) } },
	} {
		bubble(t, name, func(t *testing.T) {
			in := &deafInbox{moodyInbox: &moodyInbox{MemInbox: &webhook.MemInbox{}}}
			suspects(t, in.MemInbox, "a", "b")
			arrive(t, in.MemInbox, "c", nil)
			end := make(chan struct{})
			set(in, func(context.Context) error { <-end; return errBoom })
			w, _ := quietly(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
				work(time.Minute)
				return nil
			}))
			ctx, cancel := context.WithCancel(t.Context())
			returned := make(chan time.Time, 1)
			go func() {
				_ = w.Run(ctx)
				returned <- time.Now()
			}()
			pass(50 * time.Second)
			begun := time.Now()
			cancel()
			select {
			case at := <-returned:
				require.LessOrEqual(t, at.Sub(begun), most)
			case <-time.After(time.Hour):
				t.Error("Run has not returned")
			}
			close(end)
			pass(time.Hour)
		})
	}
}

func TestAClaimThatEndsItsGoroutineEndsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &moodyInbox{MemInbox: &webhook.MemInbox{}}
		in.onClaim = func(context.Context) error { runtime.Goexit(); return nil }
		w, _ := quietly(in, webhook.HandlerFunc(succeed))
		require.ErrorIs(t, w.Run(t.Context()), webhook.ErrPanic)
	})
}

func TestAWorkerIsNotStuckBecauseAnotherOneIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, _, release := hang()
		stuck, _ := quietly(in, typesOnly{h, "stuck.event"})
		stuck.Concurrency = 1
		arrive(t, in, "hang", typed("stuck.event"))
		w, _ := quietly(in, typesOnly{webhook.HandlerFunc(succeed), "alpha.event"})
		parts, ctx := errgroup.WithContext(t.Context())
		parts.Go(func() error { return stuck.Run(ctx) })
		err := w.Run(ctx)
		require.NoError(t, err)
		require.ErrorIs(t, parts.Wait(), webhook.ErrStuck)
		release(1)
	})
}

// typesOnly is a Handler of one type.
type typesOnly struct {
	webhook.Handler
	typ string
}

func (h typesOnly) Types() []string { return []string{h.typ} }
