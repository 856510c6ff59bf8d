package inboxtest

import (
	"context"
	"errors"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// suspectFaults break the laws of suspects.
var suspectFaults = []brokenLaw{
	{"what was lost once comes back whole and counted", func(f *fault) { // as a suspect would
		f.changeClaims(func(c *webhook.Claim) {
			if c.Delivery.ID == "whole" && c.Attempt == 2 {
				c.Delivery.Header = nil
			}
		})
	}},
	{"what was lost twice in a row is suspect", func(f *fault) { // a long lease is trusted
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			claims, err := f.MemInbox.Claim(ctx, o)
			for i := range claims {
				claims[i].Suspect = claims[i].Suspect && (o.Lease < long || claims[i].Attempt > 3)
			}
			return claims, err
		}
	}},
	{"a suspect comes without header, dedup keys and body", func(f *fault) { // with its dedup keys
		f.changeClaims(func(c *webhook.Claim) {
			if c.Suspect {
				c.Delivery.DedupKeys = []string{"mark"}
			}
		})
	}},
	{"beginning brings header, dedup keys and body", func(f *fault) { // without its dedup keys
		f.changeBegun(func(c *webhook.Claim) { c.Delivery.DedupKeys = nil })
	}},
	{"a suspect that never begins costs no attempt", func(f *fault) { // from the third claim on
		claimed := make(map[string]int)
		f.changeBegun(func(c *webhook.Claim) { claimed[c.Delivery.UID] = 0 })
		f.changeClaims(func(c *webhook.Claim) {
			if c.Suspect {
				claimed[c.Delivery.UID]++
				c.Attempt += max(claimed[c.Delivery.UID]-2, 0)
			}
		})
	}},
	{"a suspect that begins and is lost costs an attempt and is a crash", func(f *fault) { // only once
		f.changeClaims(func(c *webhook.Claim) { c.Crashes = min(c.Crashes, 1) })
	}},
	{"beginning twice counts once", func(f *fault) {
		begun, more := make(map[string]int64), make(map[string]int)
		f.changeBegun(func(c *webhook.Claim) {
			if begun[c.Delivery.UID] == c.Fence {
				more[c.Delivery.UID]++
			}
			begun[c.Delivery.UID] = c.Fence
			c.Attempt += more[c.Delivery.UID]
		})
	}},
	{"beginning a lost claim is ErrClaimLost", func(f *fault) { // by UID alone
		latest := f.fences()
		f.begin = func(ctx context.Context, c webhook.Claim) (webhook.Claim, error) {
			c.Fence = max(c.Fence, latest[c.Delivery.UID])
			return f.MemInbox.Begin(ctx, c)
		}
	}},
	{"what was settled is suspect no more", func(f *fault) { // its crashes stay
		begun := make(map[string]bool)
		f.changeBegun(func(c *webhook.Claim) { begun[c.Delivery.UID] = true })
		f.changeClaims(func(c *webhook.Claim) {
			if begun[c.Delivery.UID] && !c.Suspect && c.Attempt > 3 {
				c.Crashes = 1
			}
		})
	}},
	{"a suspect that is put back before it begins stays one", func(f *fault) { // a settlement is a word
		cleared := make(map[string]bool)
		f.changeOutcomes(func(c *webhook.Claim, o *webhook.Outcome) {
			cleared[c.Delivery.UID] = c.Suspect && c.Delivery.Body == nil && o.Uncounted
		})
		f.changeClaims(func(c *webhook.Claim) { c.Suspect = c.Suspect && !cleared[c.Delivery.UID] })
	}},
	{"a suspect that is put back uncounted after it began is one no more", func(f *fault) { // and pays an attempt
		f.changeOutcomes(func(c *webhook.Claim, o *webhook.Outcome) {
			o.Uncounted = o.Uncounted && !(c.Suspect && c.Delivery.Body != nil)
		})
	}},
	{"a suspect may be settled before it begins", func(f *fault) {
		f.settle = func(ctx context.Context, c webhook.Claim, o webhook.Outcome) (webhook.State, error) {
			if c.Suspect && c.Delivery.Body == nil && !o.Uncounted {
				return "", errors.New("not begun")
			}
			return f.MemInbox.Settle(ctx, c, o)
		}
	}},
	{"extending keeps the lease of a suspect", func(f *fault) { // only once it has begun
		f.extend = func(ctx context.Context, c webhook.Claim, lease time.Duration) error {
			if c.Suspect && c.Delivery.Body == nil {
				lease = min(lease, short)
			}
			return f.MemInbox.Extend(ctx, c, lease)
		}
	}},
	{"a context that has ended begins nothing", func(f *fault) {
		f.begin = func(ctx context.Context, c webhook.Claim) (webhook.Claim, error) {
			begun, err := f.MemInbox.Begin(context.WithoutCancel(ctx), c)
			if ctx.Err() != nil {
				return webhook.Claim{}, ctx.Err()
			}
			return begun, err
		}
	}},
}
