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
	bubble(t, "what is under way finishes within ShutdownTimeout, on a context that lives on", func(t *testing.T) {
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
		w.Concurrency = 1
		arrive(t, in, "a", nil)
		left := arrive(t, in, "b", nil)
		stop := start(t, w)
		pass(time.Second)
		stop()
		require.Equal(t, []string{"a"}, ran())
		require.Equal(t, webhook.Waiting, stateOf(t, in, left))
	})
	bubble(t, "a claim under way when the context ends is heard out, for a moment", func(t *testing.T) {
		in := &moodyInbox{MemInbox: &webhook.MemInbox{}}
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
		w, _ := quietly(in, h)
		d := arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(time.Second)
		stop()
		require.True(t, asked)
		require.Equal(t, []string{"a"}, ran())
		require.Equal(t, webhook.Done, stateOf(t, in, d))
	})
	bubble(t, "that moment is part of ShutdownTimeout", func(t *testing.T) {
		in := &moodyInbox{MemInbox: &webhook.MemInbox{}}
		first := true
		in.onClaim = func(ctx context.Context) error {
			if !first {
				<-ctx.Done()
			}
			first = false
			return ctx.Err()
		}
		w, _ := quietly(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			<-ctx.Done()
			return ctx.Err()
		}))
		w.ShutdownTimeout = 4 * time.Second
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(time.Second)
		begun := time.Now()
		stop()
		require.Equal(t, w.ShutdownTimeout, time.Since(begun))
	})
	bubble(t, "a claim that does not return is not waited for any longer", func(t *testing.T) {
		in := &moodyInbox{MemInbox: &webhook.MemInbox{}}
		in.onClaim = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		w, _ := quietly(in, webhook.HandlerFunc(succeed))
		stop := start(t, w)
		pass(time.Second)
		begun := time.Now()
		stop()
		require.Equal(t, time.Second, time.Since(begun))
	})
	for n := range 20 { // both ways of a select
		bubble(t, fmt.Sprintf("an idle worker that is told to end claims nothing more, %d", n), func(t *testing.T) {
			in := &moodyInbox{MemInbox: &webhook.MemInbox{}}
			ctx, cancel := context.WithCancel(t.Context())
			in.onClaim = func(context.Context) error {
				if ctx.Err() != nil {
					t.Error("claimed after the end")
				}
				return nil
			}
			w, _ := quietly(in, webhook.HandlerFunc(succeed))
			ended := make(chan error)
			go func() { ended <- w.Run(ctx) }()
			synctest.Wait()
			cancel()
			require.NoError(t, <-ended)
		})
	}
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
		require.NoError(t, w.Run(ctx))
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
		bubble(t, "what is over ShutdownTimeout is given back uncounted: a callback "+name, func(t *testing.T) {
			in := &webhook.MemInbox{}
			cause := make(chan error, 1)
			w, j := quietly(in, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
				defer func() { cause <- context.Cause(ctx) }()
				return f(ctx, d)
			}))
			w.ShutdownTimeout = 3 * time.Second
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
	for name, test := range map[string]struct {
		err  error
		want webhook.State
	}{
		"ErrIgnored":   {webhook.ErrIgnored, webhook.Ignored},
		"ErrMalformed": {fmt.Errorf("alpha: %w: %w", webhook.ErrMalformed, errBoom), webhook.Dead},
	} {
		bubble(t, name+" is final also when ShutdownTimeout is over", func(t *testing.T) {
			in := &webhook.MemInbox{}
			w, j := quietly(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
				<-ctx.Done()
				return test.err
			}))
			arrive(t, in, "a", nil)
			stop := start(t, w)
			pass(time.Second)
			stop()
			require.Equal(t, []webhook.State{test.want}, j.states())
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
		stop := startFor(t, w, webhook.ErrShutdown)
		pass(time.Second)
		begun := time.Now()
		stop()
		require.Equal(t, 9*time.Second, time.Since(begun), "ShutdownTimeout and a second")
		require.Equal(t, webhook.Waiting, stateOf(t, in, d))
		require.True(t, j.last().Uncounted)
		close(release)
		synctest.Wait()
		require.Equal(t, webhook.Waiting, stateOf(t, in, d), "what it did later does not count")
		require.Len(t, j.states(), 1, "its end is told once")
		require.Empty(t, j.lost)
	})
	bubble(t, "a settlement that hangs keeps no other from being given back", func(t *testing.T) {
		in := &moodyInbox{MemInbox: &webhook.MemInbox{}}
		var settling atomic.Int64
		in.onSettle = func(ctx context.Context) error {
			if settling.Add(1) == 1 {
				<-ctx.Done()
			}
			return ctx.Err()
		}
		release := make(chan struct{})
		w, _ := quietly(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			<-release
			return nil
		}))
		for i := range 8 {
			arrive(t, in, string(rune('a'+i)), nil)
		}
		stop := startFor(t, w, webhook.ErrShutdown)
		pass(time.Second)
		stop()
		require.Equal(t, map[webhook.State]int{webhook.Waiting: 7, webhook.Claimed: 1}, counts(t, in))
		close(release)
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
		w.PollInterval = 2 * time.Second
		d := arrive(t, in, "a", nil)
		stop := startFor(t, w, webhook.ErrShutdown)
		synctest.Wait()
		refused.Store(4) // the next two fail, in ShutdownTimeout
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
		stop := startFor(t, w, webhook.ErrShutdown)
		pass(time.Second)
		begun := time.Now()
		stop()
		require.Equal(t, 10*time.Second, time.Since(begun), "ShutdownTimeout and two seconds")
		pass(time.Minute)
		require.Len(t, j.lost, 1)
	})
}
