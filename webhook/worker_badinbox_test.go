package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/hookhouse/hookhouse/webhook"
)

// An alteredInbox changes the results of Claim.
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

func TestWorkerSurvivesAnInboxThatBreaksItsContract(t *testing.T) {
	synctestRun(t, "it returns a claim without a delivery", func(t *testing.T) {
		in := &alteredInbox{MemInbox: &webhook.MemInbox{}}
		in.alter = func(claims []webhook.Claim) []webhook.Claim {
			return append([]webhook.Claim{{Fence: 1}}, claims...)
		}
		h, ran := recorded(succeed)
		w, j := newTestWorker(in, h)
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		synctest.Wait()
		if err := w.Health().LastError; err == nil {
			t.Fatal("w.Health().LastError is nil, want an error")
		}
		advance(time.Minute)
		stop()
		if diff := cmp.Diff([]string{"a"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]webhook.State{webhook.Done}, j.states()); diff != "" {
			t.Fatalf("j.states() (-want +got):\n%s", diff)
		}
	})
	synctestRun(t, "it returns the same claim twice", func(t *testing.T) {
		in := &alteredInbox{MemInbox: &webhook.MemInbox{}}
		in.alter = func(claims []webhook.Claim) []webhook.Claim { return append(claims, claims[0]) }
		h, ran := recorded(func(context.Context, *webhook.Delivery) error { work(time.Second); return nil })
		w, j := newTestWorker(in, h)
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(time.Minute)
		stop()
		if diff := cmp.Diff([]string{"a"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		if len(j.settled) != 1 {
			t.Fatalf("len(j.settled) = %d, want 1: %v", len(j.settled), j.settled)
		}
	})
	synctestRun(t, "it returns more claims than requested", func(t *testing.T) {
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
		w, _ := newTestWorker(in, h)
		w.Concurrency = 2
		for i := range 8 {
			putDelivery(t, in, fmt.Sprint(i), nil)
		}
		stop := start(t, w)
		advance(5 * time.Minute)
		begun := time.Now()
		stop()
		if got := time.Since(begun); got != 0 {
			t.Fatalf("nothing is in progress: time.Since(begun) = %v, want 0", got)
		}
		if got := most.Load(); got != 2 {
			t.Fatalf("most.Load() = %d, want 2", got)
		}
		if got := ran(); len(got) != 8 {
			t.Fatalf("len(ran()) = %d, want 8: %v", len(got), got)
		}
		if diff := cmp.Diff(map[webhook.State]int{webhook.Done: 8}, counts(t, in)); diff != "" {
			t.Fatalf("counts(in) (-want +got):\n%s", diff)
		}
	})
	synctestRun(t, "its Changed panics", func(t *testing.T) {
		in := &alteredInbox{MemInbox: &webhook.MemInbox{}}
		in.changed = func() <-chan struct{} { panic("boom") }
		h, ran := recorded(succeed)
		w, _ := newTestWorker(in, h)
		stop := start(t, w)
		putDelivery(t, in, "a", nil)
		advance(time.Second)
		stop()
		if diff := cmp.Diff([]string{"a"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
	})
	synctestRun(t, "its Begin returns no delivery", func(t *testing.T) {
		in := &emptyBegin{MemInbox: &webhook.MemInbox{}}
		suspects(t, in.MemInbox, "a")
		var ran atomic.Bool
		w, _ := newTestWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			ran.Store(true)
			return nil
		}))
		stop := start(t, w)
		advance(10 * time.Minute)
		stop()
		if ran.Load() {
			t.Fatal("ran.Load() is true, want false")
		}
	})
	synctestRun(t, "its Extend never returns", func(t *testing.T) {
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}}
		end := make(chan struct{})
		in.onExtend = func(context.Context) error { <-end; return errBoom }
		cause := make(chan error, 1)
		w, _ := newTestWorker(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			<-ctx.Done()
			cause <- context.Cause(ctx)
			return nil
		}))
		putDelivery(t, in, "a", nil)
		begun := time.Now()
		stop := start(t, w)
		if err := <-cause; !errors.Is(err, webhook.ErrClaimLost) {
			t.Fatalf("<-cause = %v, want %v", err, webhook.ErrClaimLost)
		}
		if got := time.Since(begun).Round(time.Second); got != 30*time.Second {
			t.Fatalf("when its lease ends: time.Since(begun).Round(time.Second) = %v, want %v", got, 30*time.Second)
		}
		close(end)
		stop()
	})
	synctestRun(t, "its Claim calls runtime.Goexit", func(t *testing.T) {
		for name, set := range map[string]func(in *flakyInbox, f func(context.Context) error){
			"Extend": func(in *flakyInbox, f func(context.Context) error) { in.onExtend = f },
			"Begin":  func(in *flakyInbox, f func(context.Context) error) { in.onBegin = f },
			"Settle": func(in *flakyInbox, f func(context.Context) error) { in.onSettle = f },
		} {
			in := &flakyInbox{MemInbox: &webhook.MemInbox{}}
			suspects(t, in.MemInbox, "a")
			var asked atomic.Int64
			set(in, func(context.Context) error {
				if asked.Add(1) == 1 {
					runtime.Goexit()
				}
				return nil
			})
			h, ran := recorded(func(context.Context, *webhook.Delivery) error { work(time.Minute); return nil })
			w, j := newTestWorker(in, h)
			w.Concurrency = 1
			stop := start(t, w)
			advance(10 * time.Minute)
			putDelivery(t, in, "b", nil)
			advance(10 * time.Minute)
			begun := time.Now()
			stop()
			if got := time.Since(begun); got != 0 {
				t.Fatalf("%v: time.Since(begun) = %v, want 0", name, got)
			}
			if got := ran(); !slices.Contains(got, "a") {
				t.Fatalf("%v: ran() = %v, want it to contain \"a\"", name, got)
			}
			if got := ran(); !slices.Contains(got, "b") {
				t.Fatalf("%v: ran() = %v, want it to contain \"b\"", name, got)
			}
			if len(j.claimed) != len(j.settled)+len(j.lost) {
				t.Fatalf("%v: len(j.claimed) = %d, want %d: %v", name, len(j.claimed), len(j.settled)+len(j.lost), j.claimed)
			}
		}
	})
}

// An emptyBegin returns no delivery from Begin.
type emptyBegin struct{ *webhook.MemInbox }

func (in *emptyBegin) Begin(context.Context, webhook.Claim) (webhook.Claim, error) {
	return webhook.Claim{}, nil
}

func TestWorkerSurvivesAnObserverThatCallsGoexit(t *testing.T) {
	for name, set := range map[string]func(o *webhook.Observer, f func()){
		"Claimed": func(o *webhook.Observer, f func()) { o.Claimed = func(context.Context, webhook.Claim) { f() } },
		"Settled": func(o *webhook.Observer, f func()) {
			o.Settled = func(context.Context, webhook.Claim, webhook.Outcome, time.Duration) { f() }
		},
		"Overdue": func(o *webhook.Observer, f func()) {
			o.Overdue = func(context.Context, webhook.Claim, time.Duration) { f() }
		},
	} {
		synctestRun(t, name, func(t *testing.T) {
			in := &webhook.MemInbox{}
			h, ran, release := hang()
			w, _ := newTestWorker(in, h)
			w.Concurrency, w.KeepRunning = 1, true
			var once sync.Once
			set(w.Observer, func() { once.Do(runtime.Goexit) })
			d := putDelivery(t, in, "hang", nil)
			stop := start(t, w)
			advance(45 * time.Minute)
			release(9)
			putDelivery(t, in, "b", nil)
			advance(time.Hour)
			if got := ran(); !slices.Contains(got, "b") {
				t.Fatalf("ran() = %v, want it to contain \"b\"", got)
			}
			if got := stateOf(t, in, d); got != webhook.Done {
				t.Fatalf("stateOf(in, d) = %q, want %q", got, webhook.Done)
			}
			begun := time.Now()
			stop()
			if got := time.Since(begun); got != 0 {
				t.Fatalf("time.Since(begun) = %v, want 0", got)
			}
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

func TestRunSettlesOnceMoreBeforeItReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &stallingInbox{MemInbox: &webhook.MemInbox{}}
		w, j := newTestWorker(in, webhook.HandlerFunc(succeed))
		w.Lease = time.Hour
		d := putDelivery(t, in, "a", nil)
		stop := startFor(t, w, webhook.ErrShutdown)
		synctest.Wait()
		stop()
		if diff := cmp.Diff([]webhook.State{webhook.Done}, j.states()); diff != "" {
			t.Fatalf("j.states() (-want +got):\n%s", diff)
		}
		if got := stateOf(t, in, d); got != webhook.Done {
			t.Fatalf("stateOf(in, d) = %q, want %q", got, webhook.Done)
		}
	})
}

// A deafInbox ignores contexts: the calls that f selects do not return.
type deafInbox struct {
	*flakyInbox
	onSweep func()
}

func (in *deafInbox) Sweep(ctx context.Context) (int, error) {
	if in.onSweep != nil {
		in.onSweep()
	}
	return in.MemInbox.Sweep(ctx)
}

func TestShutdownEndsWithAnInboxThatIgnoresItsContext(t *testing.T) {
	const most = 8*time.Second + 2*time.Second + 100*time.Millisecond
	for name, set := range map[string]func(in *deafInbox, f func(context.Context) error){
		"Claim":  func(in *deafInbox, f func(context.Context) error) { in.onClaim = f },
		"Begin":  func(in *deafInbox, f func(context.Context) error) { in.onBegin = f },
		"Extend": func(in *deafInbox, f func(context.Context) error) { in.onExtend = f },
		"Settle": func(in *deafInbox, f func(context.Context) error) { in.onSettle = f },
		"Sweep":  func(in *deafInbox, f func(context.Context) error) { in.onSweep = func() { _ = f(t.Context()) } },
	} {
		synctestRun(t, name, func(t *testing.T) {
			in := &deafInbox{flakyInbox: &flakyInbox{MemInbox: &webhook.MemInbox{}}}
			suspects(t, in.MemInbox, "a", "b")
			putDelivery(t, in.MemInbox, "c", nil)
			end := make(chan struct{})
			set(in, func(context.Context) error { <-end; return errBoom })
			w, _ := newTestWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
				work(time.Minute)
				return nil
			}))
			ctx, cancel := context.WithCancel(t.Context())
			returned := make(chan time.Time, 1)
			go func() {
				_ = w.Run(ctx)
				returned <- time.Now()
			}()
			advance(50 * time.Second)
			begun := time.Now()
			cancel()
			select {
			case at := <-returned:
				if got := at.Sub(begun); got > most {
					t.Fatalf("at.Sub(begun) = %v, want at most %v", got, most)
				}
			case <-time.After(time.Hour):
				t.Error("Run has not returned")
			}
			close(end)
			advance(time.Hour)
		})
	}
}

func TestRunEndsIfClaimCallsGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}}
		in.onClaim = func(context.Context) error { runtime.Goexit(); return nil }
		w, _ := newTestWorker(in, webhook.HandlerFunc(succeed))
		if err := w.Run(t.Context()); !errors.Is(err, webhook.ErrPanic) {
			t.Fatalf("w.Run(t.Context()) = %v, want %v", err, webhook.ErrPanic)
		}
	})
}

func TestWorkerIsNotStuckBecauseAnotherOneIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, _, release := hang()
		stuck, _ := newTestWorker(in, typesOnly{h, "stuck.event"})
		stuck.Concurrency = 1
		putDelivery(t, in, "hang", typed("stuck.event"))
		w, _ := newTestWorker(in, typesOnly{webhook.HandlerFunc(succeed), "alpha.event"})
		parts, ctx := errgroup.WithContext(t.Context())
		parts.Go(func() error { return stuck.Run(ctx) })
		err := w.Run(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := parts.Wait(); !errors.Is(err, webhook.ErrStuck) {
			t.Fatalf("parts.Wait() = %v, want %v", err, webhook.ErrStuck)
		}
		release(1)
	})
}

// typesOnly is a Handler of one type.
type typesOnly struct {
	webhook.Handler
	typ string
}

func (h typesOnly) Types() []string { return []string{h.typ} }
