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
	synctestRun(t, "a malformed body ends dead with the reason, after one attempt", func(t *testing.T) {
		in := &webhook.MemInbox{}
		var mux webhook.Mux
		webhook.On(&mux, func(context.Context, *webhook.Event[greeting]) error { return nil })
		w, j := newTestWorker(in, &mux)
		d := putDelivery(t, in, "a", func(d *webhook.Delivery) { d.Type, d.Body = "test.greeting", []byte("{") })
		stop := start(t, w)
		advance(time.Minute)
		stop()
		require.Equal(t, webhook.Dead, stateOf(t, in, d))
		require.Len(t, j.claimed, 1)
		require.Contains(t, j.last().Reason, webhook.ErrMalformed.Error())
	})
	synctestRun(t, "a panic is recovered, tried again, and does not affect other deliveries", func(t *testing.T) {
		in := &webhook.MemInbox{}
		h, ran := recorded(func(ctx context.Context, d *webhook.Delivery) error {
			if c, _ := webhook.ClaimFromContext(ctx); d.UID == "bad" && c.Attempt == 1 {
				panic(webhook.ErrDuplicate)
			}
			work(time.Second)
			return nil
		})
		w, j := newTestWorker(in, h)
		bad := putDelivery(t, in, "bad", nil)
		good := putDelivery(t, in, "good", nil)
		stop := start(t, w)
		advance(time.Minute)
		stop()
		require.Equal(t, webhook.Done, stateOf(t, in, bad))
		require.Equal(t, webhook.Done, stateOf(t, in, good))
		require.Len(t, ran(), 3)
		require.Equal(t, []webhook.State{webhook.Waiting, webhook.Done, webhook.Done}, j.states())
	})
	synctestRun(t, "an inbox that does not answer a claim is called again", func(t *testing.T) {
		var asked atomic.Int64
		in := &flakyInbox{MemInbox: &webhook.MemInbox{}, onClaim: func(ctx context.Context) error {
			if asked.Add(1) > 1 {
				return nil
			}
			<-ctx.Done() // a dropped connection
			return ctx.Err()
		}}
		h, ran := recorded(func(context.Context, *webhook.Delivery) error { return nil })
		w, _ := newTestWorker(in, h)
		w.Lease = 30 * time.Second
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(29 * time.Second)
		require.Empty(t, ran())
		advance(10 * time.Second)
		stop()
		require.Len(t, ran(), 1)
	})
	synctestRun(t, "a callback that calls runtime.Goexit releases its slot and runs again", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, j := newTestWorker(in, webhook.HandlerFunc(func(ctx context.Context, _ *webhook.Delivery) error {
			if c, _ := webhook.ClaimFromContext(ctx); c.Attempt == 1 {
				runtime.Goexit()
			}
			return nil
		}))
		w.Concurrency = 1
		d := putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(time.Minute)
		stop()
		require.Equal(t, webhook.Done, stateOf(t, in, d))
		require.Equal(t, []webhook.State{webhook.Waiting, webhook.Done}, j.states())
		require.Contains(t, j.settled[0].Reason, webhook.ErrPanic.Error())
	})
	synctestRun(t, "a panic of the error's text is recovered", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, j := newTestWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			return webhook.Permanent(speechless{})
		}))
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		synctest.Wait()
		stop()
		require.Equal(t, []webhook.State{webhook.Waiting}, j.states())
	})
	synctestRun(t, "the reason is at most 4 KiB of text that every database stores", func(t *testing.T) {
		in := &webhook.MemInbox{}
		w, j := newTestWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			return webhook.Permanent(errors.New(strings.Repeat("\x00\xff\u4e16", 4000)))
		}))
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(time.Second)
		stop()
		got := j.last().Reason
		require.LessOrEqual(t, len(got), 4<<10)
		require.Equal(t, strings.ToValidUTF8(got, "?"), got)
		require.NotContains(t, got, "\x00")
	})
}

// speechless is an error whose Error panics.
type speechless struct{}

func (speechless) Error() string { panic("Error panicked") }

func TestPromise9_Bounded(t *testing.T) {
	synctestRun(t, "at most Concurrency callbacks run at once", func(t *testing.T) {
		in := &webhook.MemInbox{}
		var running, most atomic.Int64
		w, j := newTestWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			work(time.Second)
			return nil
		}))
		w.Concurrency = 3
		for i := range 20 {
			putDelivery(t, in, fmt.Sprint(i), nil)
		}
		stop := start(t, w)
		advance(7500 * time.Millisecond)
		stop()
		require.EqualValues(t, 3, most.Load())
		require.Len(t, j.states(), 20)
	})
	synctestRun(t, "deliveries that the inbox no longer keeps are deleted", func(t *testing.T) {
		in := &webhook.MemInbox{Retention: time.Hour}
		w, _ := newTestWorker(in, webhook.HandlerFunc(succeed))
		putDelivery(t, in, "a", nil)
		stop := start(t, w)
		advance(50 * time.Minute)
		require.Equal(t, 1, counts(t, in)[webhook.Done])
		advance(15 * time.Minute)
		require.Empty(t, counts(t, in))
		stop()
	})
	synctestRun(t, "all of them are deleted at once, in bounded steps", func(t *testing.T) {
		in := &webhook.MemInbox{Retention: time.Hour}
		for i := range 2500 {
			putDelivery(t, in, fmt.Sprint(i), nil)
		}
		require.Equal(t, 2500, finish(t, in, webhook.Done))
		advance(2 * time.Hour)
		w, _ := newTestWorker(in, webhook.HandlerFunc(succeed))
		stop := start(t, w)
		synctest.Wait()
		require.Empty(t, counts(t, in))
		stop()
	})
	synctestRun(t, "old dedup keys are deleted even if deliveries are never deleted", func(t *testing.T) {
		in := &webhook.MemInbox{Window: time.Minute, Retention: -1}
		d := putDelivery(t, in, "a", func(d *webhook.Delivery) { d.DedupKeys = []string{"key"} })
		w, _ := newTestWorker(in, webhook.HandlerFunc(succeed))
		stop := start(t, w)
		advance(time.Hour)
		require.Equal(t, map[webhook.State]int{webhook.Done: 1}, counts(t, in))
		require.NoError(t, in.Put(t.Context(), &webhook.Delivery{UID: "b", Source: d.Source, DedupKeys: d.DedupKeys}))
		stop()
	})
}
