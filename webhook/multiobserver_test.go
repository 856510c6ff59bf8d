package webhook_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
)

// observerNamed returns an Observer that passes the name of each event to seen.
func observerNamed(name string, seen func(event string)) *webhook.Observer {
	return &webhook.Observer{
		Rejected: func(_ context.Context, source string, status int, _ error) {
			seen(fmt.Sprintf("%s rejected %s %d", name, source, status))
		},
		Received: func(_ context.Context, d *webhook.Delivery, err error, took time.Duration) {
			seen(fmt.Sprintf("%s received %s %v %v", name, d.UID, err, took))
		},
		Claimed: func(_ context.Context, c webhook.Claim) {
			seen(fmt.Sprintf("%s claimed %d", name, c.Attempt))
		},
		Settled: func(_ context.Context, c webhook.Claim, o webhook.Outcome, took time.Duration) {
			seen(fmt.Sprintf("%s settled %d %s %v", name, c.Attempt, o.State, took))
		},
		Lost: func(_ context.Context, c webhook.Claim) {
			seen(fmt.Sprintf("%s lost %d", name, c.Attempt))
		},
		Overdue: func(_ context.Context, c webhook.Claim, took time.Duration) {
			seen(fmt.Sprintf("%s overdue %d %v", name, c.Attempt, took))
		},
	}
}

// observeAll calls each func of o once.
func observeAll(o *webhook.Observer) {
	ctx, c := context.Background(), webhook.Claim{Attempt: 2}
	o.Rejected(ctx, "acme", 401, io.EOF)
	o.Received(ctx, &webhook.Delivery{UID: "u"}, io.EOF, 1)
	o.Claimed(ctx, c)
	o.Settled(ctx, c, webhook.Outcome{State: webhook.Done}, 3)
	o.Lost(ctx, c)
	o.Overdue(ctx, c, 4)
}

func TestMultiObserverCallsEachInOrder(t *testing.T) {
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	var log bytes.Buffer
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))

	var seen []string
	see := func(event string) { seen = append(seen, event) }
	list := []*webhook.Observer{
		observerNamed("first", func(event string) { see(event); panic(event) }),
		nil,
		{}, // without funcs
		observerNamed("second", see),
	}
	multi := webhook.MultiObserver(list...)
	list[3] = nil // is no longer used
	observeAll(multi)
	var want []string
	for _, event := range []string{"rejected acme 401", "received u EOF 1ns", "claimed 2", "settled 2 done 3ns", "lost 2", "overdue 2 4ns"} {
		want = append(want, "first "+event, "second "+event)
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if n := strings.Count(log.String(), "observer panicked"); n != 6 {
		t.Errorf("%d panics are logged, want 6:\n%s", n, &log)
	}
	observeAll(webhook.MultiObserver())
}

// The error of a Handler reaches the Observers as it is, not wrapped.
func TestMultiObserverPassesTheErrorOn(t *testing.T) {
	src := recvSource()
	var got []error
	keep := func(_ context.Context, _ *webhook.Delivery, err error, _ time.Duration) { got = append(got, err) }
	rc := webhook.NewReceiver(src, recvFails(io.EOF))
	rc.Logger, _ = recvLogger()
	rc.Observer = webhook.MultiObserver(&webhook.Observer{Received: keep}, &webhook.Observer{Received: keep})
	recvServe(rc, recvRequest(t, src, "{}"))
	if !slices.Equal(got, []error{io.EOF, io.EOF}) {
		t.Errorf("observed %v, want io.EOF twice", got)
	}
}

// A contextValue is the key of a value that a test passes through a context.
type contextValue struct{}

func TestTheReceiversObserverGetsTheRequestsContext(t *testing.T) {
	src := recvSource()
	var seen []any
	rc := webhook.NewReceiver(src, recvOK)
	rc.Logger, _ = recvLogger()
	rc.Observer = &webhook.Observer{
		Rejected: func(ctx context.Context, _ string, _ int, _ error) { seen = append(seen, ctx.Value(contextValue{})) },
		Received: func(ctx context.Context, _ *webhook.Delivery, _ error, _ time.Duration) {
			seen = append(seen, ctx.Value(contextValue{}))
		},
	}
	ctx := func(value string) context.Context { return context.WithValue(t.Context(), contextValue{}, value) }
	recvServe(rc, recvRequest(t, src, "{}").WithContext(ctx("received")))
	recvServe(rc, httptest.NewRequest("POST", "/", nil).WithContext(ctx("rejected")))
	if diff := cmp.Diff([]any{"received", "rejected"}, seen); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

// The Worker's events have the values of Run's context and the claim, whatever ended
// the attempt.
func TestTheWorkersObserverGetsTheValuesOfTheHandlersContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex // an overdue callback is reported while its claim is settled
		var seen []string
		see := func(event string, ctx context.Context, c webhook.Claim) {
			mu.Lock()
			defer mu.Unlock()
			inCtx, ok := webhook.ClaimFromContext(ctx)
			seen = append(seen, fmt.Sprintf("%s %v %t %t", event, ctx.Value(contextValue{}), ok && inCtx.Fence == c.Fence, inCtx.Delivery == c.Delivery))
		}
		in := &webhook.MemInbox{}
		release := make(chan struct{})
		w := webhook.NewWorker(in, webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
			c, _ := webhook.ClaimFromContext(ctx)
			switch c.Attempt {
			case 1:
				return errors.New("fails")
			case 2: // is overdue, and its claim is settled meanwhile
				<-release
			}
			return nil
		}))
		w.Logger, _ = recvLogger()
		w.Timeout, w.Lease, w.Retry = time.Second, 2*time.Second, webhook.Backoff{First: time.Second, Max: time.Second}
		w.Observer = &webhook.Observer{
			Claimed: func(ctx context.Context, c webhook.Claim) { see("claimed", ctx, c) },
			Settled: func(ctx context.Context, c webhook.Claim, o webhook.Outcome, _ time.Duration) {
				see("settled "+string(o.State), ctx, c)
			},
			Overdue: func(ctx context.Context, c webhook.Claim, _ time.Duration) { see("overdue", ctx, c) },
		}
		putDelivery(t, in, "u1", nil)
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), contextValue{}, "run"))
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx) }()
		time.Sleep(30 * time.Second)
		close(release)
		synctest.Wait()
		cancel()
		<-ended
		for _, event := range []string{"claimed", "settled waiting", "overdue"} {
			if !slices.Contains(seen, event+" run true true") {
				t.Errorf("no event %q with the values of the Handler's context in %q", event, seen)
			}
		}
		for _, event := range seen {
			if !strings.HasSuffix(event, " run true true") {
				t.Errorf("event %q has not the values of the Handler's context", event)
			}
		}
	})
}

// A lostInbox answers each settlement with ErrClaimLost.
type lostInbox struct{ webhook.Inbox }

func (lostInbox) Settle(context.Context, webhook.Claim, webhook.Outcome) (webhook.State, error) {
	return "", webhook.ErrClaimLost
}

func TestLostHasTheClaimInItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &webhook.MemInbox{}
		w := webhook.NewWorker(lostInbox{in}, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return nil }))
		w.Logger, _ = recvLogger()
		var lost []string
		w.Observer = &webhook.Observer{Lost: func(ctx context.Context, c webhook.Claim) {
			inCtx, _ := webhook.ClaimFromContext(ctx)
			lost = append(lost, inCtx.Delivery.UID)
		}}
		putDelivery(t, in, "u1", nil)
		stop := start(t, w)
		synctest.Wait()
		stop()
		if diff := cmp.Diff([]string{"u1"}, lost); diff != "" {
			t.Errorf("lost (-want +got):\n%s", diff)
		}
	})
}
