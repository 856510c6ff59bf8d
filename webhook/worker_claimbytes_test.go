package webhook_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestWorkerLimitsTheBytesOfAClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := plainInbox{&webhook.MemInbox{}}
		var most atomic.Int64
		var running atomic.Int64
		h, ran := recorded(func(_ context.Context, d *webhook.Delivery) error {
			most.Store(max(most.Load(), running.Add(int64(len(d.Body)))))
			return nil
		})
		sizes := &claimSizes{Inbox: in}
		w, _ := newTestWorker(sizes, h)
		w.PollInterval = time.Hour
		for i := range 8 {
			putDelivery(t, in, fmt.Sprint(i), func(d *webhook.Delivery) { d.Body = make([]byte, 5<<20) })
		}
		stop := start(t, w)
		synctest.Wait()
		stop()
		if got := ran(); len(got) != 8 {
			t.Fatalf("it asks for the rest at once: len(ran()) = %d, want 8: %v", len(got), got)
		}
		if got := slices.Max(sizes.bytes); got > 8<<20 {
			t.Fatalf("slices.Max(sizes.bytes) = %d, want at most %d", got, 8<<20)
		}
	})
}

// claimSizes records the total size of the bodies of each Claim.
type claimSizes struct {
	webhook.Inbox
	bytes []int
}

func (in *claimSizes) Claim(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
	claims, err := in.Inbox.Claim(ctx, o)
	size := 0
	for _, c := range claims {
		size += len(c.Delivery.Body)
	}
	in.bytes = append(in.bytes, size)
	return claims, err
}
