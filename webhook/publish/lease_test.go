package publish_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
)

// A leasedInbox knows which leases were asked for, for which type.
type leasedInbox struct {
	*webhook.MemInbox
	mu     sync.Mutex
	leases map[string][]time.Duration
}

func (in *leasedInbox) Claim(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
	in.mu.Lock()
	for _, typ := range o.Types {
		if !slices.Contains(in.leases[typ], o.Lease) {
			in.leases[typ] = append(in.leases[typ], o.Lease)
		}
	}
	in.mu.Unlock()
	return in.MemInbox.Claim(ctx, o)
}

func TestLeaseIsThatOfBothWorkers(t *testing.T) {
	for lease, want := range map[time.Duration]time.Duration{0: 30 * time.Second, 7 * time.Second: 7 * time.Second} {
		inBubble(t, func(t *testing.T) {
			r := newRig(t)
			in := &leasedInbox{MemInbox: r.inbox, leases: make(map[string][]time.Duration)}
			r.use(in, r.store)
			r.Lease = lease
			r.create("a")
			r.net.at("a", after(14*time.Second, status(200))) // longer than the lease, which is renewed
			r.start()
			r.publish(publish.Event{})
			advance(time.Minute)
			if n := len(r.net.to("a")); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
			in.mu.Lock()
			defer in.mu.Unlock()
			if diff := cmp.Diff(map[string][]time.Duration{"publish.event": {want}, "publish.delivery": {want}}, in.leases); diff != "" {
				t.Errorf("leases (-want +got):\n%s", diff)
			}
		})
	}
}
