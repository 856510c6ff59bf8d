package inboxtest

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// listingFaults break the laws of lists.
var listingFaults = []brokenLaw{
	{"deliveries are listed newest first", func(f *fault) { // each key by itself
		f.changeLists(func(filter webhook.Filter, list []webhook.Record) []webhook.Record {
			if len(list) == 3 && list[1].Delivery.OrderingKey == "" && list[0].Delivery.OrderingKey == list[2].Delivery.OrderingKey && list[0].Delivery.OrderingKey != "" {
				list[1], list[2] = list[2], list[1]
			}
			return list
		})
	}},
	{"Seq decreases in a list", func(f *fault) { // it is that of the key's first
		f.changeLists(func(filter webhook.Filter, list []webhook.Record) []webhook.Record {
			for i := range list {
				if filter.Limit == 0 && len(list) == 3 && list[i].Delivery.OrderingKey != "" {
					list[i].Seq = 1
				}
			}
			return list
		})
	}},
	{"a long list is complete", func(f *fault) { // it ends with the first page
		f.changeLists(func(filter webhook.Filter, list []webhook.Record) []webhook.Record {
			return list[:min(len(list), 100)]
		})
	}},
	{"the inbox can be used while it is listed", func(f *fault) { // the caller has its only connection
		busy := false
		f.admin.all = func(ctx context.Context, filter webhook.Filter) iter.Seq2[webhook.Record, error] {
			return func(yield func(webhook.Record, error) bool) {
				defer func() { busy = false }()
				for r, err := range f.MemInbox.All(ctx, filter) {
					busy = true
					if !yield(r, err) {
						return
					}
				}
			}
		}
		f.admin.get = func(ctx context.Context, uid string) (webhook.Record, error) {
			if busy {
				<-ctx.Done()
				return webhook.Record{}, ctx.Err()
			}
			return f.MemInbox.Get(ctx, uid)
		}
	}},
	{"a list ends after its first error", func(f *fault) { // and goes on
		f.admin.all = func(ctx context.Context, filter webhook.Filter) iter.Seq2[webhook.Record, error] {
			return func(yield func(webhook.Record, error) bool) {
				if err := ctx.Err(); err != nil && !yield(webhook.Record{}, err) {
					return
				}
				for r, err := range f.MemInbox.All(context.WithoutCancel(ctx), filter) {
					if !yield(r, err) {
						return
					}
				}
			}
		}
	}},
	{"a list loads contents only if Bodies is set", func(f *fault) { // dedup keys come always
		f.changeLists(func(filter webhook.Filter, list []webhook.Record) []webhook.Record {
			for _, r := range list {
				if r.Delivery.DedupKeys == nil {
					r.Delivery.DedupKeys = []string{"dedup key"}
				}
			}
			return list
		})
	}},
	{"a list has no replays and no attempts", func(f *fault) { // it is as good as Get
		f.changeLists(func(filter webhook.Filter, list []webhook.Record) []webhook.Record {
			for i := range list {
				r, _ := f.MemInbox.Get(context.Background(), list[i].Delivery.UID)
				list[i].Replays = r.Replays
			}
			return list
		})
	}},
	{"Ping succeeds while Put does", func(f *fault) { // not again at once
		pinged := time.Time{}
		f.admin.ping = func(ctx context.Context) error {
			if ctx.Err() == nil && time.Since(pinged) < time.Second {
				return errors.New("asked too often")
			}
			pinged = time.Now()
			return f.MemInbox.Ping(ctx)
		}
	}},
	{"Ping fails in a context that has ended", func(f *fault) { // it says what it said before
		f.admin.ping = func(context.Context) error { return nil }
	}},
}
