package inboxtest

import (
	"context"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// recordFaults break the laws of records.
var recordFaults = []brokenLaw{
	{"a record has what was put", func(f *fault) {
		f.changeRecords(func(r *webhook.Record) { r.Delivery.Coalesce.Max = 0 })
	}},
	{"Get returns header, dedup keys and body", func(f *fault) { // the first key
		f.changeRecords(func(r *webhook.Record) {
			r.Delivery.DedupKeys = r.Delivery.DedupKeys[:min(len(r.Delivery.DedupKeys), 1)]
		})
	}},
	{"Get of an unknown UID is ErrNotFound", func(f *fault) { // the empty one is the newest
		f.admin.get = func(ctx context.Context, uid string) (webhook.Record, error) {
			if uid == "" {
				return webhook.Record{}, nil
			}
			return f.MemInbox.Get(ctx, uid)
		}
	}},
	{"a context that has ended gets nothing", func(f *fault) {
		f.admin.get = func(ctx context.Context, uid string) (webhook.Record, error) {
			return f.MemInbox.Get(context.WithoutCancel(ctx), uid)
		}
	}},
	{"the header and dedup keys of a record belong to the caller", func(f *fault) { // the keys are shared
		shared := make(map[string][]string)
		f.changeRecords(func(r *webhook.Record) {
			if _, ok := shared[r.Delivery.UID]; !ok {
				shared[r.Delivery.UID] = r.Delivery.DedupKeys
			}
			r.Delivery.DedupKeys = shared[r.Delivery.UID]
		})
	}},
	{"a record of a waiting delivery has the time at which it was due", func(f *fault) { // not before its first run
		f.changeRecords(func(r *webhook.Record) {
			if r.State == webhook.Waiting && r.Attempt == 0 && r.Delivery.NotBefore.IsZero() {
				r.Due = time.Time{}
			}
		})
	}},
	{"a record of a claimed delivery has the fence and the end of the claim", func(f *fault) { // from when on
		f.changeRecords(func(r *webhook.Record) {
			if r.State == webhook.Claimed {
				r.Expires = r.Due
			}
		})
	}},
	{"a record of a retry has its due time and the reason", func(f *fault) { // when it was due at first
		f.changeRecords(func(r *webhook.Record) {
			if r.State == webhook.Waiting && r.Attempt > 0 {
				r.Due = r.Delivery.ReceivedAt
			}
		})
	}},
	{"a record of a finished delivery has the time and the reason", func(f *fault) { // not when it is ignored
		f.changeRecords(func(r *webhook.Record) {
			if r.State == webhook.Ignored {
				r.Ended = time.Time{}
			}
		})
	}},
	{"a record counts revivals", func(f *fault) { // as one
		f.changeRecords(func(r *webhook.Record) { r.Revived = 0 })
	}},
}
