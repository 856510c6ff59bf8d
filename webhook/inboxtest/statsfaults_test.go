package inboxtest

import (
	"context"
	"maps"
	"slices"

	"github.com/hookhouse/hookhouse/webhook"
)

// statsFaults break the laws of Stats.
var statsFaults = []brokenLaw{
	{"Stats of an empty inbox are empty", func(f *fault) { // they have each state
		f.changeStats(func(st *webhook.Stats) {
			if len(st.Count) == 0 {
				st.Count[webhook.Waiting] = 0
			}
		})
	}},
	{"Stats count deliveries by state", func(f *fault) { // by kinds
		f.changeStats(func(st *webhook.Stats) {
			if n := st.Count[webhook.Blocked]; n > 0 {
				delete(st.Count, webhook.Blocked)
				st.Count[webhook.Waiting] += n
			}
		})
	}},
	{"Stats count the deliveries of each type by state", func(f *fault) { // of one
		f.changeStats(func(st *webhook.Stats) {
			for _, states := range st.Types {
				maps.Copy(states, st.Count)
			}
		})
	}},
	{"Oldest counts from the time at which a waiting delivery was due", func(f *fault) { // the youngest
		f.changeStats(func(st *webhook.Stats) {
			for typ := range st.Oldest {
				if st.Count[webhook.Waiting] == 2 {
					st.Oldest[typ] = 0
				}
			}
		})
	}},
	{"Oldest counts from the end of a lease that ran out", func(f *fault) { // since it was claimed
		f.changeStats(func(st *webhook.Stats) {
			for typ := range st.Oldest {
				if st.Count[webhook.Claimed] == 1 {
					st.Oldest[typ] *= 2
				}
			}
		})
	}},
	{"Oldest has no types without a delivery to claim", func(f *fault) { // they are zero
		f.changeStats(func(st *webhook.Stats) {
			for typ := range st.Types {
				if _, ok := st.Oldest[typ]; !ok {
					st.Oldest[typ] = 0
				}
			}
		})
	}},
	{"Oldest counts while the type is paused", func(f *fault) { // it does not
		f.changeStats(func(st *webhook.Stats) {
			for _, p := range st.Paused {
				delete(st.Oldest, p.Type)
			}
		})
	}},
	{"Unhandled has the types that no Claim asked for in a minute", func(f *fault) { // unsorted
		f.changeStats(func(st *webhook.Stats) { slices.Reverse(st.Unhandled) })
	}},
	{"a context that has ended counts nothing", func(f *fault) {
		f.admin.stats = func(ctx context.Context) (webhook.Stats, error) { return f.MemInbox.Stats(context.WithoutCancel(ctx)) }
	}},
}
