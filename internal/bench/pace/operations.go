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

// sliceTimeout is how long a slice of drain may take.
const sliceTimeout = 2 * time.Minute

// A keying returns the ordering key of delivery i of ops.
type keying func(i, ops int) string

func noKey(int, int) string { return "" }

// tenToAKey puts those of one key far apart, as in life.
func tenToAKey(i, ops int) string { return fmt.Sprint("key", i%max(1, ops/10)) }

// putBy puts deliveries, each with a key of its own.
func putBy(senders int) func(context.Context, *sqlinbox.Inbox, int, int) (int, error) {
	return func(ctx context.Context, in *sqlinbox.Inbox, done, n int) (int, error) {
		return n, Together(senders, n, func(i int) error { return in.Put(ctx, Delivery(done+i, fmt.Sprint("key", done+i))) })
	}
}

// fillBy puts one delivery for each operation.
func fillBy(key keying) func(context.Context, *sqlinbox.Inbox, int) error {
	return func(ctx context.Context, in *sqlinbox.Inbox, ops int) error {
		return Together(64, ops, func(i int) error { return in.Put(ctx, Delivery(i, key(i, ops))) })
	}
}

// claim claims deliveries, each at a time.
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

// firstRow is the number of the first delivery that fillRows puts.
const firstRow = 1_000_000_000

// fillRows puts deliveries with small bodies and without ordering keys.
func fillRows(ctx context.Context, in *sqlinbox.Inbox, rows int) error {
	return Together(256, rows, func(i int) error { return in.Put(ctx, Push(firstRow+i, "", smallBody)) })
}

// push puts a push with a key of its own.
func push(ctx context.Context, in *sqlinbox.Inbox, number int) error {
	return in.Put(ctx, Push(number, fmt.Sprint("key", number), body))
}

// pushBy puts n pushes.
func pushBy(senders int) func(context.Context, *sqlinbox.Inbox, int, int) (int, error) {
	return func(ctx context.Context, in *sqlinbox.Inbox, done, n int) (int, error) {
		return n, Together(senders, n, func(i int) error { return push(ctx, in, done+i) })
	}
}

// pushUntilEnd puts pushes until ctx ends. Puts that have begun are finished.
func pushUntilEnd(senders int) func(context.Context, *sqlinbox.Inbox, int, int) (int, error) {
	return func(ctx context.Context, in *sqlinbox.Inbox, done, _ int) (int, error) {
		var begun atomic.Int64
		err := Together(senders, senders, func(int) error {
			for ctx.Err() == nil {
				if err := push(context.WithoutCancel(ctx), in, done+int(begun.Add(1))-1); err != nil {
					return err
				}
			}
			return nil
		})
		return int(begun.Load()), err
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

// drain lets a Worker handle deliveries with an empty callback, limit at once, and
// returns when everything that it claimed is settled.
func drain(limit int) func(context.Context, *sqlinbox.Inbox, int, int) (int, error) {
	return func(ctx context.Context, in *sqlinbox.Inbox, _, n int) (int, error) {
		ctx, stop := context.WithTimeout(ctx, sliceTimeout)
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
