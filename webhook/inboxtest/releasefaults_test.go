package inboxtest

import (
	"context"
	"errors"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// releaseFaults break the laws of Release.
var releaseFaults = []brokenLaw{
	{"a released retry is due now", func(f *fault) { // it waits on
		f.admin.release = func(ctx context.Context, uid string) error {
			if r, err := f.MemInbox.Get(ctx, uid); err == nil && r.State == webhook.Waiting && r.Attempt > 0 {
				return nil
			}
			return f.MemInbox.Release(ctx, uid)
		}
	}},
	{"a released claim can be claimed again at once", func(f *fault) { // its run is taken back
		released := make(map[string]bool)
		f.afterRelease(func(_ context.Context, uid string) { released[uid] = true })
		f.changeClaims(func(c *webhook.Claim) {
			if released[c.Delivery.UID] && c.Attempt == 2 && !c.Suspect {
				c.Attempt = 1
			}
		})
	}},
	{"a released claim cannot be settled or extended", func(f *fault) { // but extended
		f.extend = func(ctx context.Context, c webhook.Claim, lease time.Duration) error {
			err := f.MemInbox.Extend(ctx, c, lease)
			if r, _ := f.MemInbox.Get(ctx, c.Delivery.UID); r.State == webhook.Waiting && len(r.Attempts) > 0 && r.Attempts[0].Lost {
				return nil
			}
			return err
		}
	}},
	{"a released claim counts as lost", func(f *fault) { // never suspect
		released := make(map[string]bool)
		f.afterRelease(func(_ context.Context, uid string) { released[uid] = true })
		f.changeClaims(func(c *webhook.Claim) { c.Suspect = c.Suspect && !released[c.Delivery.UID] })
	}},
	{"a released retry that let younger ones run first is the next of its ordering key", func(f *fault) { // only after them
		f.admin.release = func(ctx context.Context, uid string) error {
			r, err := f.MemInbox.Get(ctx, uid)
			if err == nil && r.State == webhook.Blocked && r.Attempt > 0 && f.count(webhook.Claimed) == 0 && f.count(webhook.Blocked) > 1 {
				return nil
			}
			return f.MemInbox.Release(ctx, uid)
		}
	}},
	{"a retry that is released while a younger one is claimed runs after that", func(f *fault) { // it is blocked by another
		f.admin.release = func(ctx context.Context, uid string) error {
			if r, err := f.MemInbox.Get(ctx, uid); err == nil && r.State == webhook.Blocked && r.Attempt > 0 && f.count(webhook.Claimed) > 0 {
				return webhook.ErrState
			}
			return f.MemInbox.Release(ctx, uid)
		}
	}},
	{"a released retry runs before another retry of its ordering key that is due earlier", func(f *fault) { // only after it
		f.admin.release = func(ctx context.Context, uid string) error {
			r, err := f.MemInbox.Get(ctx, uid)
			if err == nil && r.State == webhook.Blocked && r.Attempt > 0 && f.count(webhook.Claimed) == 0 && f.count(webhook.Blocked) == 1 {
				return nil
			}
			return f.MemInbox.Release(ctx, uid)
		}
	}},
	{"a delivery that another one blocks cannot be released", func(f *fault) { // it is said to be
		f.admin.release = func(ctx context.Context, uid string) error {
			if r, err := f.MemInbox.Get(ctx, uid); err == nil && r.State == webhook.Blocked && r.Attempt == 0 {
				return nil
			}
			return f.MemInbox.Release(ctx, uid)
		}
	}},
	{"a finished delivery cannot be released", func(f *fault) { // it runs again
		f.admin.release = func(ctx context.Context, uid string) error {
			if r, err := f.MemInbox.Get(ctx, uid); err == nil && r.State == webhook.Dead {
				_, err := f.MemInbox.Replay(ctx, webhook.Filter{UID: uid}, someone)
				return err
			}
			return f.MemInbox.Release(ctx, uid)
		}
	}},
	{"a release of an unknown UID is ErrNotFound", func(f *fault) { // it is finished
		f.admin.release = func(ctx context.Context, uid string) error {
			err := f.MemInbox.Release(ctx, uid)
			if errors.Is(err, webhook.ErrNotFound) {
				err = webhook.ErrState
			}
			return err
		}
	}},
	{"a context that has ended releases nothing", func(f *fault) {
		f.admin.release = func(ctx context.Context, uid string) error {
			return f.MemInbox.Release(context.WithoutCancel(ctx), uid)
		}
	}},
	{"Release closes the channel of Changed", func(f *fault) {
		f.signalAllBut("Release")
	}},
}
