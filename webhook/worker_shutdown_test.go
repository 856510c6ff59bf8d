package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestPromise10_ShutdownDrains(t *testing.T) {
	synctestRun(t, "callbacks finish within ShutdownTimeout, and their contexts do not end", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, j := newTestWorker(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(5 * time.Second):
				return nil
			}
		}))
		d := putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(time.Second)
		begun := time.Now()
		stop()
		if got := time.Since(begun); got != 4*time.Second {
			t.Fatalf("Run returns when the last is settled: time.Since(begun) = %v, want %v", got, 4*time.Second)
		}
		if got := stateOf(t, in, d); got != webhook.Done {
			t.Fatalf("stateOf(in, d) = %q, want %q", got, webhook.Done)
		}
		if diff := cmp.Diff([]webhook.State{webhook.Done}, j.states()); diff != "" {
			t.Fatalf("j.states() (-want +got):\n%s", diff)
		}
	})
	synctestRun(t, "nothing is claimed after the context has ended", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(func(context.Context, *webhook.Delivery) error { work(2 * time.Second); return nil })
		w, _ := newTestWorker(in, h)
		w.Concurrency = 1
		putDelivery(t, in, "a", nil)
		left := putDelivery(t, in, "b", nil)
		stop := start(t, w)
		advance(time.Second)
		stop()
		if diff := cmp.Diff([]string{"a"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		if got := stateOf(t, in, left); got != webhook.Waiting {
			t.Fatalf("stateOf(in, left) = %q, want %q", got, webhook.Waiting)
		}
	})
	synctestRun(t, "a Claim in progress when the context ends may return within a second", func(t *testing.T) {
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}}
		asked := false
		in.onClaim = func(ctx context.Context) error { // the database answers half a second later
			asked = true
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(1500 * time.Millisecond):
				return nil
			}
		}
		h, ran := recorded(succeed)
		w, _ := newTestWorker(in, h)
		d := putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(time.Second)
		stop()
		if !asked {
			t.Fatal("asked is false, want true")
		}
		if diff := cmp.Diff([]string{"a"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		if got := stateOf(t, in, d); got != webhook.Done {
			t.Fatalf("stateOf(in, d) = %q, want %q", got, webhook.Done)
		}
	})
	synctestRun(t, "that second is part of ShutdownTimeout", func(t *testing.T) {
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}}
		first := true
		in.onClaim = func(ctx context.Context) error {
			if !first {
				<-ctx.Done()
			}
			first = false
			return ctx.Err()
		}
		w, _ := newTestWorker(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			<-ctx.Done()
			return ctx.Err()
		}))
		w.ShutdownTimeout = 4 * time.Second
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(time.Second)
		begun := time.Now()
		stop()
		if got := time.Since(begun); got != w.ShutdownTimeout {
			t.Fatalf("time.Since(begun) = %v, want %v", got, w.ShutdownTimeout)
		}
	})
	synctestRun(t, "Run does not wait longer for a Claim that does not return", func(t *testing.T) {
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}}
		in.onClaim = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		w, _ := newTestWorker(in, webhook.HandlerFunc(succeed))
		stop := start(t, w)
		advance(time.Second)
		begun := time.Now()
		stop()
		if got := time.Since(begun); got != time.Second {
			t.Fatalf("time.Since(begun) = %v, want %v", got, time.Second)
		}
	})
	for n := range 20 { // both ways of a select
		synctestRun(t, fmt.Sprintf("an idle Worker claims nothing when its context has ended, %d", n), func(t *testing.T) {
			in := &flakyInbox{MemInbox: &webhook.MemInbox{}}
			ctx, cancel := context.WithCancel(t.Context())
			in.onClaim = func(context.Context) error {
				if ctx.Err() != nil {
					t.Error("claimed after the end")
				}
				return nil
			}
			w, _ := newTestWorker(in, webhook.HandlerFunc(succeed))
			ended := make(chan error)
			go func() { ended <- w.Run(ctx) }()
			synctest.Wait()
			cancel()
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
		})
	}
	synctestRun(t, "callbacks keep the values of Run's context", func(t *testing.T) {
		type key struct{}
		in := &webhook.MemInbox{}
		got := make(chan any, 1)
		w, _ := newTestWorker(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			got <- ctx.Value(key{})
			return nil
		}))
		putDelivery(t, in, "a", nil)
		ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, "value"), time.Second)
		defer cancel()
		if err := w.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if got := <-got; got != "value" {
			t.Fatalf("<-got = %v, want %v", got, "value")
		}
	})
	over := map[string]func(ctx context.Context, d *webhook.Delivery) error{
		"which returns its context's error": blockUntilDone,
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
		"which takes a killed command for permanent": func(ctx context.Context, _ *webhook.Delivery) error {
			<-ctx.Done()
			return webhook.Permanent(errors.New("signal: killed"))
		},
		"which panics": func(ctx context.Context, _ *webhook.Delivery) error {
			<-ctx.Done()
			panic("killed")
		},
	}
	for name, f := range over {
		synctestRun(t, "after ShutdownTimeout a delivery is put back uncounted: a callback "+name, func(t *testing.T) {
			in := &webhook.MemInbox{}
			cause := make(chan error, 1)
			w, j := newTestWorker(in, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
				defer func() { cause <- context.Cause(ctx) }()
				return f(ctx, d)
			}))
			w.ShutdownTimeout = 3 * time.Second
			w.MaxAttempts = 1
			putDelivery(t, in, "a", nil)
			stop := start(t, w)
			advance(time.Second)
			begun := time.Now()
			stop()
			if got := time.Since(begun); got != 3*time.Second {
				t.Fatalf("time.Since(begun) = %v, want %v", got, 3*time.Second)
			}
			if err := <-cause; !errors.Is(err, webhook.ErrShutdown) {
				t.Fatalf("<-cause = %v, want %v", err, webhook.ErrShutdown)
			}
			if diff := cmp.Diff([]webhook.State{webhook.Waiting}, j.states()); diff != "" {
				t.Fatalf("j.states() (-want +got):\n%s", diff)
			}
			claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 1})
			if err != nil {
				t.Fatal(err)
			}
			if len(claims) != 1 {
				t.Fatalf("it can be claimed at once: len(claims) = %d, want 1: %v", len(claims), claims)
			}
			if claims[0].Attempt != 1 {
				t.Fatalf("claims[0].Attempt = %d, want 1", claims[0].Attempt)
			}
		})
	}
	for name, test := range map[string]struct {
		err  error
		want webhook.State
	}{
		"ErrIgnored":   {webhook.ErrIgnored, webhook.Ignored},
		"ErrMalformed": {fmt.Errorf("alpha: %w: %w", webhook.ErrMalformed, errBoom), webhook.Dead},
	} {
		synctestRun(t, name+" is final also when ShutdownTimeout is over", func(t *testing.T) {
			in := &webhook.MemInbox{}
			w, j := newTestWorker(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
				<-ctx.Done()
				return test.err
			}))
			putDelivery(t, in, "a", nil)
			stop := start(t, w)
			advance(time.Second)
			stop()
			if diff := cmp.Diff([]webhook.State{test.want}, j.states()); diff != "" {
				t.Fatalf("j.states() (-want +got):\n%s", diff)
			}
		})
	}
	synctestRun(t, "a callback that succeeds late counts", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, j := newTestWorker(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			<-ctx.Done()
			return nil
		}))
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(time.Second)
		stop()
		if diff := cmp.Diff([]webhook.State{webhook.Done}, j.states()); diff != "" {
			t.Fatalf("j.states() (-want +got):\n%s", diff)
		}
	})
	synctestRun(t, "the delivery of a callback that ignores its context is put back, and Run returns", func(t *testing.T) {
		in := &webhook.MemInbox{}
		release := make(chan struct{})
		w, j := newTestWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			<-release
			return nil
		}))
		d := putDelivery(t, in, "a", nil)
		stop := startFor(t, w, webhook.ErrShutdown)
		advance(time.Second)
		begun := time.Now()
		stop()
		if got := time.Since(begun); got != 9*time.Second {
			t.Fatalf("ShutdownTimeout and a second: time.Since(begun) = %v, want %v", got, 9*time.Second)
		}
		if got := stateOf(t, in, d); got != webhook.Waiting {
			t.Fatalf("stateOf(in, d) = %q, want %q", got, webhook.Waiting)
		}
		if !j.last().Uncounted {
			t.Fatal("j.last().Uncounted is false, want true")
		}
		close(release)
		synctest.Wait()
		if got := stateOf(t, in, d); got != webhook.Waiting {
			t.Fatalf("what it did later does not count: stateOf(in, d) = %q, want %q", got, webhook.Waiting)
		}
		if got := j.states(); len(got) != 1 {
			t.Fatalf("its end is reported once: len(j.states()) = %d, want 1: %v", len(got), got)
		}
		if len(j.lost) != 0 {
			t.Fatalf("j.lost = %v, want empty", j.lost)
		}
	})
	synctestRun(t, "a settlement that hangs does not prevent others from being put back", func(t *testing.T) {
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}}
		var settling atomic.Int64
		in.onSettle = func(ctx context.Context) error {
			if settling.Add(1) == 1 {
				<-ctx.Done()
			}
			return ctx.Err()
		}
		release := make(chan struct{})
		w, _ := newTestWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			<-release
			return nil
		}))
		for i := range 8 {
			putDelivery(t, in, string(rune('a'+i)), nil)
		}
		stop := startFor(t, w, webhook.ErrShutdown)
		advance(time.Second)
		stop()
		if diff := cmp.Diff(map[webhook.State]int{webhook.Waiting: 7, webhook.Claimed: 1}, counts(t, in)); diff != "" {
			t.Fatalf("counts(in) (-want +got):\n%s", diff)
		}
		close(release)
	})
	synctestRun(t, "an outcome that the inbox refused is settled once more before Run returns", func(t *testing.T) {
		var refused atomic.Int64
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}}
		in.onSettle = func(ctx context.Context) error {
			if _, last := ctx.Deadline(); last && refused.Add(1) <= 6 {
				return errBoom
			}
			return nil
		}
		h, ran := recorded(succeed)
		w, j := newTestWorker(in, h)
		w.PollInterval = 2 * time.Second
		d := putDelivery(t, in, "a", nil)
		stop := startFor(t, w, webhook.ErrShutdown)
		synctest.Wait()
		refused.Store(4) // the next two fail, in ShutdownTimeout
		stop()
		if got := stateOf(t, in, d); got != webhook.Done {
			t.Fatalf("stateOf(in, d) = %q, want %q", got, webhook.Done)
		}
		if diff := cmp.Diff([]string{"a"}, ran()); diff != "" {
			t.Fatalf("ran() (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]webhook.State{webhook.Done}, j.states()); diff != "" {
			t.Fatalf("j.states() (-want +got):\n%s", diff)
		}
	})
	synctestRun(t, "Run returns although the inbox is down", func(t *testing.T) {
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, onSettle: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		w, j := newTestWorker(in, webhook.HandlerFunc(succeed))
		putDelivery(t, in, "a", nil)
		stop := startFor(t, w, webhook.ErrShutdown)
		advance(time.Second)
		begun := time.Now()
		stop()
		if got := time.Since(begun); got != 10*time.Second {
			t.Fatalf("ShutdownTimeout and two seconds: time.Since(begun) = %v, want %v", got, 10*time.Second)
		}
		advance(time.Minute)
		if len(j.lost) != 1 {
			t.Fatalf("len(j.lost) = %d, want 1: %v", len(j.lost), j.lost)
		}
	})
}
