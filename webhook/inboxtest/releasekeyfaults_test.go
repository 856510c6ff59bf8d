package inboxtest

import (
	"context"
	"errors"

	"github.com/hookhouse/hookhouse/webhook"
)

// releaseKeyFaults break the laws of ReleaseKey.
var releaseKeyFaults = []brokenLaw{
	{"ReleaseKey makes the next delivery of the ordering key due now, and the others follow in order", func(f *fault) { // unless it blocks others
		f.keyReleases(func(context.Context, string, string) (error, bool) { return nil, f.count(webhook.Blocked) > 0 })
	}},
	{"ReleaseKey leaves other ordering keys as they are", func(f *fault) { // it releases those of the source
		f.keyReleases(func(ctx context.Context, source, key string) (error, bool) {
			for _, r := range f.stored(webhook.Filter{Source: source, States: []webhook.State{webhook.Waiting}}) {
				if r.Delivery.OrderingKey == "other" {
					_ = f.MemInbox.Release(ctx, r.Delivery.UID)
				}
			}
			return nil, false
		})
	}},
	{"ReleaseKey of an ordering key that is due keeps its place among others", func(f *fault) { // it is due now
		f.keyReleases(func(ctx context.Context, source, key string) (error, bool) {
			for _, r := range f.stored(webhook.Filter{Source: source, OrderingKey: key, States: []webhook.State{webhook.Waiting}}) {
				if key != "" {
					return f.MemInbox.Release(ctx, r.Delivery.UID), true
				}
			}
			return nil, false
		})
	}},
	{"ReleaseKey makes a replayed delivery live", func(f *fault) { // it stays one
		f.keyReleases(func(_ context.Context, source, key string) (error, bool) {
			for _, r := range f.stored(webhook.Filter{Source: source, OrderingKey: key}) {
				if r.Replayed {
					return nil, true
				}
			}
			return nil, false
		})
	}},
	{"ReleaseKey of an ordering key whose next delivery is claimed is ErrState and leaves the claim", func(f *fault) { // it takes the claim
		f.keyReleases(func(ctx context.Context, source, key string) (error, bool) {
			for _, r := range f.stored(webhook.Filter{Source: source, OrderingKey: key, States: []webhook.State{webhook.Claimed}}) {
				return f.MemInbox.Release(ctx, r.Delivery.UID), true
			}
			return nil, false
		})
	}},
	{"ReleaseKey of an ordering key without unfinished deliveries is ErrNotFound", func(f *fault) {
		f.afterKeyRelease(func(err error) error {
			if errors.Is(err, webhook.ErrNotFound) {
				return nil
			}
			return err
		})
	}},
	{"ReleaseKey of an empty ordering key is refused", func(f *fault) {
		f.keyReleases(func(_ context.Context, _, key string) (error, bool) { return nil, key == "" })
	}},
	{"a context that has ended releases no ordering key", func(f *fault) {
		f.admin.releaseKey = func(ctx context.Context, source, key string) error {
			return f.MemInbox.ReleaseKey(context.WithoutCancel(ctx), source, key)
		}
	}},
	{"ReleaseKey closes the channel of Changed", func(f *fault) { f.signalAllBut("ReleaseKey") }},
}

// keyReleases calls instead before each ReleaseKey, and returns its error if that returns
// true.
func (f *fault) keyReleases(instead func(ctx context.Context, source, key string) (error, bool)) {
	f.admin.releaseKey = func(ctx context.Context, source, key string) error {
		if ctx.Err() == nil {
			if err, done := instead(ctx, source, key); done {
				return err
			}
		}
		return f.MemInbox.ReleaseKey(ctx, source, key)
	}
}

// afterKeyRelease changes the error of each ReleaseKey.
func (f *fault) afterKeyRelease(change func(err error) error) {
	f.admin.releaseKey = func(ctx context.Context, source, key string) error {
		return change(f.MemInbox.ReleaseKey(ctx, source, key))
	}
}
