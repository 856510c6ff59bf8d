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
	{"a delivery is returned with every field unchanged", func(f *fault) { // a text column
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
	{"a delivery with only UID, Source and Type is returned with only these", func(f *fault) {
		f.changeClaims(func(c *webhook.Claim) {
			if c.Delivery.Header == nil && !c.Suspect {
				c.Delivery.Header = http.Header{"Content-Type": nil}
			}
		})
	}},
	{"a large body is returned unchanged", func(f *fault) { // a column of 64 KiB
		f.change(func(d *webhook.Delivery) {
			if bytes.Contains(d.Body, []byte("large")) {
				d.Body = d.Body[:1<<16]
			}
		})
	}},
	{"Put refuses an empty UID", func(f *fault) {
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
	{"Claim returns N claims at most", func(f *fault) { // one more than N
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			if o.N > 1 {
				o.N++
			}
			return f.MemInbox.Claim(ctx, o)
		}
	}},
	{"an N of zero means 1", func(f *fault) {
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			if o.N == 0 {
				return nil, ctx.Err()
			}
			return f.MemInbox.Claim(ctx, o)
		}
	}},
	{"the claims of one call are sorted from old to new", func(f *fault) { // the order of UPDATE ... RETURNING
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			claims, err := f.MemInbox.Claim(ctx, o)
			if len(claims) > 10 {
				slices.Reverse(claims)
			}
			return claims, err
		}
	}},
	{"if Types is empty and not nil, nothing is claimed", func(f *fault) { // checks the length instead of nil
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			if len(o.Types) == 0 {
				o.Types = nil
			}
			return f.MemInbox.Claim(ctx, o)
		}
	}},
	{"only deliveries of the given Types are claimed", func(f *fault) { // only the first of them
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			if len(o.Types) > 1 {
				o.Types = o.Types[:1]
			}
			return f.MemInbox.Claim(ctx, o)
		}
	}},
	{"concurrent calls never claim the same delivery", func(f *fault) { // reads before it updates, without a lock
		var (
			running atomic.Int64
			last    []webhook.Claim
		)
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			running.Add(1)
			defer running.Add(-1)
			<-time.After(time.Microsecond)
			f.mu.Lock()
			defer f.mu.Unlock()
			claims, err := f.MemInbox.Claim(ctx, o)
			if running.Load() > 1 && len(claims) > 0 {
				claims = append(claims, last...)
				last = claims[:1]
			}
			return claims, err
		}
	}},
	{"Put with a canceled context stores nothing", func(f *fault) {
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			return f.MemInbox.Put(context.WithoutCancel(ctx), d)
		}
	}},
	{"Claim with a canceled context claims nothing", func(f *fault) {
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			claims, err := f.MemInbox.Claim(context.WithoutCancel(ctx), o)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return claims, err
		}
	}},
	{"Settle with a canceled context settles nothing", func(f *fault) {
		f.settle = func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
			return f.MemInbox.Settle(context.WithoutCancel(ctx), c, o)
		}
	}},
	{"Extend with a canceled context fails", func(f *fault) {
		f.extend = func(ctx context.Context, c webhook.Claim, lease time.Duration) error {
			return f.MemInbox.Extend(context.WithoutCancel(ctx), c, lease)
		}
	}},
	{"a change of Header or DedupKeys after Put does not change the stored delivery", func(f *fault) {
		put := make(map[string]*webhook.Delivery)
		f.put = func(ctx context.Context, d *webhook.Delivery) error {
			f.mu.Lock()
			put[d.UID] = d
			f.mu.Unlock()
			return f.MemInbox.Put(ctx, d)
		}
		f.changeClaims(func(c *webhook.Claim) {
			if !c.Suspect {
				c.Delivery.Header = put[c.Delivery.UID].Header.Clone()
			}
		})
	}},
	{"a change of Header or DedupKeys of a claim does not change the stored delivery", func(f *fault) {
		claimed := make(map[string]*webhook.Delivery)
		f.changeClaims(func(c *webhook.Claim) {
			if claimed[c.Delivery.UID] == nil {
				claimed[c.Delivery.UID] = c.Delivery
			}
			if !c.Suspect {
				c.Delivery = claimed[c.Delivery.UID]
			}
		})
	}},
}
