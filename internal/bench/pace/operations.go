package pace

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// claimLease is longer than any run.
const claimLease = time.Hour

// patience is how long a slice may take.
const patience = 2 * time.Minute

// A keying is the key of each of so many deliveries.
type keying func(i, ops int) string

func noKey(int, int) string { return "" }

// tenToAKey lets those of one key come far apart, as in life.
func tenToAKey(i, ops int) string { return fmt.Sprint("key", i%max(1, ops/10)) }

// putBy puts deliveries of a key each, by so many senders.
func putBy(senders int) func(context.Context, *sqlinbox.Inbox, int, int) (int, error) {
	return func(ctx context.Context, in *sqlinbox.Inbox, done, n int) (int, error) {
		return n, Together(senders, n, func(i int) error { return in.Put(ctx, Delivery(done+i, fmt.Sprint("key", done+i))) })
	}
}

// fillBy puts as many deliveries as there will be operations.
func fillBy(key keying) func(context.Context, *sqlinbox.Inbox, int) error {
	return func(ctx context.Context, in *sqlinbox.Inbox, ops int) error {
		return Together(64, ops, func(i int) error { return in.Put(ctx, Delivery(i, key(i, ops))) })
	}
}

// claim claims deliveries, so many at a time.
func claim(each int) func(context.Context, *sqlinbox.Inbox, int, int) (int, error) {
	return func(ctx context.Context, in *sqlinbox.Inbox, _, n int) (int, error) {
		for done := 0; done < n; {
			want := min(each, n-done)
			claims, err := in.Claim(ctx, webhook.ClaimOptions{N: want, Lease: claimLease})
			if err == nil && len(claims) != want {
				err = fmt.Errorf("pace: %d claims, want %d", len(claims), want)
			}
			if err != nil {
				return done, err
			}
			done += len(claims)
		}
		return n, nil
	}
}

// fillClaimed fills an inbox and claims all of it.
func fillClaimed(ctx context.Context, in *sqlinbox.Inbox, ops int) error {
	if err := fillBy(noKey)(ctx, in, ops); err != nil {
		return err
	}
	_, err := claim(64)(ctx, in, 0, ops)
	return err
}

func claimNothing(ctx context.Context, in *sqlinbox.Inbox, _, n int) (int, error) {
	for range n {
		claims, err := in.Claim(ctx, webhook.ClaimOptions{N: 8, Lease: claimLease})
		if err == nil && len(claims) > 0 {
			err = fmt.Errorf("pace: %d claims, want none", len(claims))
		}
		if err != nil {
			return 0, err
		}
	}
	return n, nil
}

// drain has a Worker handle deliveries with an empty callback, so many at once,
// and returns when all that it claimed is settled.
func drain(limit int) func(context.Context, *sqlinbox.Inbox, int, int) (int, error) {
	return func(ctx context.Context, in *sqlinbox.Inbox, _, n int) (int, error) {
		ctx, stop := context.WithTimeout(ctx, patience)
		defer stop()
		var handled atomic.Int64
		w := webhook.NewWorker(in, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error {
			if handled.Add(1) == int64(n) {
				stop()
			}
			return nil
		}))
		setConcurrency(w, limit)
		err := w.Run(ctx)
		done := int(handled.Load())
		if err == nil && done < n {
			err = fmt.Errorf("pace: the Worker handled %d of %d", done, n)
		}
		return done, err
	}
}
