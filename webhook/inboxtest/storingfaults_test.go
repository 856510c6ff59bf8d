package inboxtest

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// storingFaults break the laws of storing, claiming, contexts and ownership.
var storingFaults = []brokenLaw{
	{"a delivery comes back whole", func(f *fault) { // a text column
		f.change(func(d *webhook.Delivery) {
			header := d.Header.Clone()
			for _, values := range header {
				for i, v := range values {
					values[i] = strings.ToValidUTF8(v, "?")
				}
			}
			d.Header = header
		})
	}},
	{"a bare delivery comes back bare", func(f *fault) {
		f.changeClaims(func(c *webhook.Claim) {
			if c.Delivery.Header == nil && !c.Suspect {
				c.Delivery.Header = http.Header{"Content-Type": nil}
			}
		})
	}},
	{"a large body comes back whole", func(f *fault) { // a column of 64 KiB
		f.change(func(d *webhook.Delivery) {
			if bytes.Contains(d.Body, []byte("large")) {
				d.Body = d.Body[:1<<16]
			}
		})
	}},
	{"an empty UID is refused", func(f *fault) {
		f.change(func(d *webhook.Delivery) {
			if d.UID == "" {
				d.UID = "minted"
			}
		})
	}},
	{"Put does not change the delivery", func(f *fault) {
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			err := f.MemInbox.Put(ctx, d)
			d.KeyLabel = ""
			return err
		}
	}},
	{"a claim takes at most N", func(f *fault) { // off by one
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			if o.N > 1 {
				o.N++
			}
			return f.MemInbox.Claim(ctx, o)
		}
	}},
	{"N of zero means one", func(f *fault) {
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			if o.N == 0 {
				return nil, ctx.Err()
			}
			return f.MemInbox.Claim(ctx, o)
		}
	}},
	{"the claims of one call are in order", func(f *fault) { // UPDATE ... RETURNING
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			claims, err := f.MemInbox.Claim(ctx, o)
			if len(claims) > 10 {
				slices.Reverse(claims)
			}
			return claims, err
		}
	}},
	{"empty types claim nothing", func(f *fault) { // len instead of nil
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			if len(o.Types) == 0 {
				o.Types = nil
			}
			return f.MemInbox.Claim(ctx, o)
		}
	}},
	{"types choose what is claimed", func(f *fault) { // only the first
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			if len(o.Types) > 1 {
				o.Types = o.Types[:1]
			}
			return f.MemInbox.Claim(ctx, o)
		}
	}},
	{"claimers at once never share a delivery", func(f *fault) { // look, then take
		var (
			under atomic.Int64
			last  []webhook.Claim
		)
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			under.Add(1)
			defer under.Add(-1)
			<-time.After(time.Microsecond)
			f.mu.Lock()
			defer f.mu.Unlock()
			claims, err := f.MemInbox.Claim(ctx, o)
			if under.Load() > 1 && len(claims) > 0 {
				claims = append(claims, last...)
				last = claims[:1]
			}
			return claims, err
		}
	}},
	{"a context that has ended stores nothing", func(f *fault) {
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			return f.MemInbox.Put(context.WithoutCancel(ctx), d)
		}
	}},
	{"a context that has ended claims nothing", func(f *fault) {
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			claims, err := f.MemInbox.Claim(context.WithoutCancel(ctx), o)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return claims, err
		}
	}},
	{"a context that has ended settles nothing", func(f *fault) {
		f.settle = func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
			return f.MemInbox.Settle(context.WithoutCancel(ctx), c, o)
		}
	}},
	{"a context that has ended extends nothing", func(f *fault) {
		f.extend = func(ctx context.Context, c webhook.Claim, lease time.Duration) error {
			return f.MemInbox.Extend(context.WithoutCancel(ctx), c, lease)
		}
	}},
	{"Put keeps no reference to header and dedup keys", func(f *fault) {
		kept := make(map[string]*webhook.Delivery)
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			f.mu.Lock()
			kept[d.UID] = d
			f.mu.Unlock()
			return f.MemInbox.Put(ctx, d)
		}
		f.changeClaims(func(c *webhook.Claim) {
			if !c.Suspect {
				c.Delivery.Header = kept[c.Delivery.UID].Header.Clone()
			}
		})
	}},
	{"a claim's header and dedup keys belong to the claimer", func(f *fault) {
		given := make(map[string]*webhook.Delivery)
		f.changeClaims(func(c *webhook.Claim) {
			if given[c.Delivery.UID] == nil {
				given[c.Delivery.UID] = c.Delivery
			}
			if !c.Suspect {
				c.Delivery = given[c.Delivery.UID]
			}
		})
	}},
}
