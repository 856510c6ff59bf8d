package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

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
		require.Equal(t, 4*time.Second, time.Since(begun), "Run returns when the last is settled")
		require.Equal(t, webhook.Done, stateOf(t, in, d))
		require.Equal(t, []webhook.State{webhook.Done}, j.states())
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
		require.Equal(t, []string{"a"}, ran())
		require.Equal(t, webhook.Waiting, stateOf(t, in, left))
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
		require.True(t, asked)
		require.Equal(t, []string{"a"}, ran())
		require.Equal(t, webhook.Done, stateOf(t, in, d))
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
		require.Equal(t, w.ShutdownTimeout, time.Since(begun))
	})
	synctestRun(t, "Run does not wait longer for a Claim that does not return", func(t *testing.T) {
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}}
		in.onClaim = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		w, _ := newTestWorker(in, webhook.HandlerFunc(succeed))
		stop := start(t, w)
		advance(time.Second)
		begun := time.Now()
		stop()
		require.Equal(t, time.Second, time.Since(begun))
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
			require.NoError(t, <-ended)
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
		require.NoError(t, w.Run(ctx))
		require.Equal(t, "value", <-got)
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
			require.Equal(t, 3*time.Second, time.Since(begun))
			require.ErrorIs(t, <-cause, webhook.ErrShutdown)
			require.Equal(t, []webhook.State{webhook.Waiting}, j.states())
			claims, err := in.Claim(t.Context(), webhook.ClaimOptions{N: 1})
			require.NoError(t, err)
			require.Len(t, claims, 1, "it can be claimed at once")
			require.Equal(t, 1, claims[0].Attempt)
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
			require.Equal(t, []webhook.State{test.want}, j.states())
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
		require.Equal(t, []webhook.State{webhook.Done}, j.states())
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
		require.Equal(t, 9*time.Second, time.Since(begun), "ShutdownTimeout and a second")
		require.Equal(t, webhook.Waiting, stateOf(t, in, d))
		require.True(t, j.last().Uncounted)
		close(release)
		synctest.Wait()
		require.Equal(t, webhook.Waiting, stateOf(t, in, d), "what it did later does not count")
		require.Len(t, j.states(), 1, "its end is reported once")
		require.Empty(t, j.lost)
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
		require.Equal(t, map[webhook.State]int{webhook.Waiting: 7, webhook.Claimed: 1}, counts(t, in))
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
		require.Equal(t, webhook.Done, stateOf(t, in, d))
		require.Equal(t, []string{"a"}, ran())
		require.Equal(t, []webhook.State{webhook.Done}, j.states())
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
		require.Equal(t, 10*time.Second, time.Since(begun), "ShutdownTimeout and two seconds")
		advance(time.Minute)
		require.Len(t, j.lost, 1)
	})
}
