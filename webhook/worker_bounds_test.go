package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/webhook"
)

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
	bubble(t, "an inbox that does not answer a claim is asked again", func(t *testing.T) {
		var asked atomic.Int64
		in := &moodyInbox{MemInbox: &webhook.MemInbox{}, onClaim: func(ctx context.Context) error {
			if asked.Add(1) > 1 {
				return nil
			}
			<-ctx.Done() // a dropped connection
			return ctx.Err()
		}}
		h, ran := recorded(func(context.Context, *webhook.Delivery) error { return nil })
		w, _ := quietly(in, h)
		w.Lease = 30 * time.Second
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(29 * time.Second)
		require.Empty(t, ran())
		pass(10 * time.Second)
		stop()
		require.Len(t, ran(), 1)
	})
	bubble(t, "a callback that ends its goroutine costs no slot and runs again", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, j := quietly(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			if c, _ := webhook.ClaimFromContext(ctx); c.Attempt == 1 {
				runtime.Goexit()
			}
			return nil
		}))
		w.Concurrency = 1
		d := arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(time.Minute)
		stop()
		require.Equal(t, webhook.Done, stateOf(t, in, d))
		require.Equal(t, []webhook.State{webhook.Waiting, webhook.Done}, j.states())
		require.Contains(t, j.settled[0].Reason, webhook.ErrPanic.Error())
	})
	bubble(t, "an error whose text panics is contained", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, j := quietly(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			return webhook.Permanent(speechless{})
		}))
		arrive(t, in, "a", nil)
		stop := start(t, w)
		synctest.Wait()
		stop()
		require.Equal(t, []webhook.State{webhook.Waiting}, j.states())
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
	bubble(t, "no more run at once than Concurrency", func(t *testing.T) {
		in := &webhook.MemInbox{}
		var running, most atomic.Int64
		w, j := quietly(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			work(time.Second)
			return nil
		}))
		w.Concurrency = 3
		for i := range 20 {
			arrive(t, in, fmt.Sprint(i), nil)
		}
		stop := start(t, w)
		pass(7500 * time.Millisecond)
		stop()
		require.EqualValues(t, 3, most.Load())
		require.Len(t, j.states(), 20)
	})
	bubble(t, "what the inbox keeps no longer is forgotten", func(t *testing.T) {
		in := &webhook.MemInbox{Retention: time.Hour}
		w, _ := quietly(in, webhook.HandlerFunc(succeed))
		arrive(t, in, "a", nil)
		stop := start(t, w)
		pass(50 * time.Minute)
		require.Equal(t, 1, counts(t, in)[webhook.Done])
		pass(15 * time.Minute)
		require.Empty(t, counts(t, in))
		stop()
	})
	bubble(t, "all of it is forgotten at once, in bounded steps", func(t *testing.T) {
		in := &webhook.MemInbox{Retention: time.Hour}
		for i := range 2500 {
			arrive(t, in, fmt.Sprint(i), nil)
		}
		require.Equal(t, 2500, finish(t, in, webhook.Done))
		pass(2 * time.Hour)
		w, _ := quietly(in, webhook.HandlerFunc(succeed))
		stop := start(t, w)
		synctest.Wait()
		require.Empty(t, counts(t, in))
		stop()
	})
	bubble(t, "old dedup keys are forgotten also where deliveries are kept for ever", func(t *testing.T) {
		in := &webhook.MemInbox{Window: time.Minute, Retention: -1}
		d := arrive(t, in, "a", func(d *webhook.Delivery) { d.DedupKeys = []string{"mark"} })
		w, _ := quietly(in, webhook.HandlerFunc(succeed))
		stop := start(t, w)
		pass(time.Hour)
		require.Equal(t, map[webhook.State]int{webhook.Done: 1}, counts(t, in))
		require.NoError(t, in.Put(t.Context(), &webhook.Delivery{UID: "b", Source: d.Source, DedupKeys: d.DedupKeys}))
		stop()
	})
}
