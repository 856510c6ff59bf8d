package dbtest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/statement"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A database that may not grow fails as one on a full disk does. Each half of the batch
// would fail as well.
func TestAFullDatabaseFailsABatchOnce(t *testing.T) {
	for _, e := range []engine{modernc, ncruces} {
		t.Run(e.Name, func(t *testing.T) {
			s := e.NewStore(t).With("_pragma=max_page_count(100)")
			in, _, plan := openWatched(t, e, s.Driver, s.DSN)
			put(t, in, delivery("claimed"))
			c := claimOne(t, in)
			var err error
			for n := 0; err == nil && n < 1000; n++ {
				err = in.Put(t.Context(), largeDelivery("first"))
			}
			if !statement.IsStorageFault(err) {
				t.Fatalf("the database is not full: %v", err)
			}

			var failed atomic.Int64
			in.Observer = &sqlinbox.Observer{Batch: func(_, _ int, _ time.Duration, err error) {
				if err != nil {
					failed.Add(1)
				}
			}}
			stopped, goOn := make(chan struct{}), make(chan struct{})
			var stop sync.Once
			plan.Watch(func(what string) {
				if strings.Contains(what, "BEGIN") {
					stop.Do(func() {
						close(stopped)
						<-goOn
					})
				}
			}, nil)
			defer plan.Watch(nil, nil)
			var all sync.WaitGroup
			errs := make([]error, 20)
			var settled error
			all.Go(func() { _ = in.Put(t.Context(), largeDelivery("alone")) })
			<-stopped
			for i := range errs {
				ctx := &queuedContext{Context: t.Context(), queued: make(chan struct{})}
				all.Go(func() { errs[i] = in.Put(ctx, largeDelivery(fmt.Sprint("key", i))) })
				<-ctx.queued
			}
			ctx := &queuedContext{Context: t.Context(), queued: make(chan struct{})}
			all.Go(func() { _, settled = in.Settle(ctx, c, webhook.Outcome{State: webhook.Done}) })
			<-ctx.queued
			close(goOn)
			all.Wait()

			for i, err := range errs {
				if !statement.IsStorageFault(err) {
					t.Errorf("Put %d: %v", i, err)
				}
			}
			if n := failed.Load(); n != 2 {
				t.Errorf("%d transactions failed, want that of the lone Put and that of the others", n)
			}
			if settled != nil {
				t.Errorf("a settlement in the same batch, which needs no room: %v", errors.Unwrap(settled))
			}
		})
	}
}

func largeDelivery(key string) *webhook.Delivery {
	d := delivery(key)
	d.Body = bytes.Repeat([]byte("x"), 20_000)
	return d
}
