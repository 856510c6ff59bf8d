package inboxtest

import (
	"context"

	"github.com/hookhouse/hookhouse/webhook"
)

// overviewFaults break the laws of Overview.
var overviewFaults = []brokenLaw{
	{"an Overview counts deliveries by state", func(f *fault) { // by kinds
		f.changeOverviews(func(o *webhook.Overview, _ int) {
			if c, ok := o.Count[webhook.Blocked]; ok && len(o.Count) > 2 {
				delete(o.Count, webhook.Blocked)
				o.Count[webhook.Waiting] = webhook.Count{N: o.Count[webhook.Waiting].N + c.N}
			}
		})
	}},
	{"an Overview counts a state up to the limit and says when there are more", func(f *fault) { // also when there are none
		f.changeOverviews(func(o *webhook.Overview, limit int) {
			for s, c := range o.Count {
				c.More = c.N == limit
				o.Count[s] = c
			}
		})
	}},
	{"an Overview never says that it has counted all of a state when it has not", func(f *fault) { // of the last ones
		f.changeOverviews(func(o *webhook.Overview, limit int) {
			if limit == 3 {
				o.Count[webhook.Done] = webhook.Count{N: 1}
			}
		})
	}},
	{"an Overview has the oldest and the pauses of Stats", func(f *fault) { // and counts
		f.changeOverviews(func(o *webhook.Overview, _ int) {
			for i := range o.Paused {
				o.Paused[i].Blocked = 1
			}
		})
	}},
	{"an Overview has the unhandled types of Stats", func(f *fault) { // none
		f.changeOverviews(func(o *webhook.Overview, _ int) { o.Unhandled = nil })
	}},
	{"an Overview without a limit, or in a context that has ended, is an error", func(f *fault) { // zero means all
		f.admin.overview = func(ctx context.Context, limit int) (webhook.Overview, error) {
			if limit == 0 {
				limit = plenty
			}
			return f.MemInbox.Overview(ctx, limit)
		}
	}},
}

// changeOverviews makes what Overview returns different.
func (f *fault) changeOverviews(change func(o *webhook.Overview, limit int)) {
	f.admin.overview = func(ctx context.Context, limit int) (webhook.Overview, error) {
		o, err := f.MemInbox.Overview(ctx, limit)
		if err == nil {
			change(&o, limit)
		}
		return o, err
	}
}
