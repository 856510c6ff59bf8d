package inboxtest

import (
	"context"
	"errors"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// suspectFaults break the laws of lost claims.
var suspectFaults = []brokenLaw{
	{"after one lost claim a delivery is claimed whole, as attempt 2", func(f *fault) { // without its header, as for a suspect
		f.changeClaims(func(c *webhook.Claim) {
			if c.Delivery.ID == "whole" && c.Attempt == 2 {
				c.Delivery.Header = nil
			}
		})
	}},
	{"after two lost claims in a row a delivery is suspect", func(f *fault) { // not if the lease is long
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			claims, err := f.MemInbox.Claim(ctx, o)
			for i := range claims {
				claims[i].Suspect = claims[i].Suspect && (o.Lease < long || claims[i].Attempt > 3)
			}
			return claims, err
		}
	}},
	{"a suspect claim has no Header, DedupKeys and Body", func(f *fault) { // it has its dedup keys
		f.changeClaims(func(c *webhook.Claim) {
			if c.Suspect {
				c.Delivery.DedupKeys = []string{"dedup key"}
			}
		})
	}},
	{"Begin returns Header, DedupKeys and Body", func(f *fault) { // without the dedup keys
		f.changeBegun(func(c *webhook.Claim) { c.Delivery.DedupKeys = nil })
	}},
	{"a suspect claim that is lost before Begin does not count as an attempt", func(f *fault) { // the third such claim and later ones count
		claimed := make(map[string]int)
		f.changeBegun(func(c *webhook.Claim) { claimed[c.Delivery.UID] = 0 })
		f.changeClaims(func(c *webhook.Claim) {
			if c.Suspect {
				claimed[c.Delivery.UID]++
				c.Attempt += max(claimed[c.Delivery.UID]-2, 0)
			}
		})
	}},
	{"a suspect claim that is lost after Begin counts as an attempt and a crash", func(f *fault) { // counts one crash at most
		f.changeClaims(func(c *webhook.Claim) { c.Crashes = min(c.Crashes, 1) })
	}},
	{"a second Begin of a claim does not count", func(f *fault) {
		begun, more := make(map[string]int64), make(map[string]int)
		f.changeBegun(func(c *webhook.Claim) {
			if begun[c.Delivery.UID] == c.Fence {
				more[c.Delivery.UID]++
			}
			begun[c.Delivery.UID] = c.Fence
			c.Attempt += more[c.Delivery.UID]
		})
	}},
	{"Begin of a lost claim returns ErrClaimLost", func(f *fault) { // does not check the fence
		latest := f.fences()
		f.begin = func(ctx context.Context, c webhook.Claim) (webhook.Claim, error) {
			c.Fence = max(c.Fence, latest[c.Delivery.UID])
			return f.MemInbox.Begin(ctx, c)
		}
	}},
	{"a settled delivery is not suspect any more", func(f *fault) { // keeps its crashes
		begun := make(map[string]bool)
		f.changeBegun(func(c *webhook.Claim) { begun[c.Delivery.UID] = true })
		f.changeClaims(func(c *webhook.Claim) {
			if begun[c.Delivery.UID] && !c.Suspect && c.Attempt > 3 {
				c.Crashes = 1
			}
		})
	}},
	{"a suspect that is released before Begin stays suspect", func(f *fault) { // every settlement clears it
		cleared := make(map[string]bool)
		f.changeOutcomes(func(c *webhook.Claim, o *webhook.Outcome) {
			cleared[c.Delivery.UID] = c.Suspect && c.Delivery.Body == nil && o.Uncounted
		})
		f.changeClaims(func(c *webhook.Claim) { c.Suspect = c.Suspect && !cleared[c.Delivery.UID] })
	}},
	{"a suspect that is released after Begin is not suspect any more", func(f *fault) { // counts the attempt
		f.changeOutcomes(func(c *webhook.Claim, o *webhook.Outcome) {
			o.Uncounted = o.Uncounted && !(c.Suspect && c.Delivery.Body != nil)
		})
	}},
	{"a suspect can be settled without Begin", func(f *fault) {
		f.settle = func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
			if c.Suspect && c.Delivery.Body == nil && !o.Uncounted {
				return "", errors.New("not begun")
			}
			return f.MemInbox.Settle(ctx, c, o)
		}
	}},
	{"Extend prolongs the lease of a suspect", func(f *fault) { // only after Begin
		f.extend = func(ctx context.Context, c webhook.Claim, lease time.Duration) error {
			if c.Suspect && c.Delivery.Body == nil {
				lease = min(lease, short)
			}
			return f.MemInbox.Extend(ctx, c, lease)
		}
	}},
	{"Begin with a canceled context begins nothing", func(f *fault) {
		f.begin = func(ctx context.Context, c webhook.Claim) (webhook.Claim, error) {
			begun, err := f.MemInbox.Begin(context.WithoutCancel(ctx), c)
			if ctx.Err() != nil {
				return webhook.Claim{}, ctx.Err()
			}
			return begun, err
		}
	}},
}
