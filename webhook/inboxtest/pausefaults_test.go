package inboxtest

import (
	"context"
	"errors"
	"slices"

	"github.com/hookhouse/hookhouse/webhook"
)

// pauseFaults break the laws of Pause and Resume.
var pauseFaults = []brokenLaw{
	{"deliveries of a paused type are not claimed", func(f *fault) { // unless the claim asks for it
		f.claimInPauses(func(o webhook.ClaimOptions, paused []string) bool {
			return len(o.Types) == 2 && slices.Equal(paused, []string{"alpha.paused"})
		})
	}},
	{"if all types are paused nothing is claimed", func(f *fault) { // unless the claim asks for a type
		f.claimInPauses(func(o webhook.ClaimOptions, paused []string) bool {
			return len(o.Types) == 1 && slices.Equal(paused, []string{""})
		})
	}},
	{"deliveries of a resumed type are claimed", func(f *fault) { // those that came meanwhile
		resumed := false
		f.admin.resume = func(ctx context.Context, typ string, n webhook.Note) error {
			resumed = resumed || len(f.paused()) == 1 && len(f.stored(webhook.Filter{})) == 1 && f.stored(webhook.Filter{})[0].Attempt == 0
			return f.MemInbox.Resume(ctx, typ, n)
		}
		paused := 0
		f.admin.pause = func(ctx context.Context, typ string, n webhook.Note) error {
			paused++
			return f.MemInbox.Pause(ctx, typ, n)
		}
		f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
			if resumed && paused == 1 {
				return nil, ctx.Err()
			}
			return f.MemInbox.Claim(ctx, o)
		}
	}},
	{"pauses of a type and of all are independent", func(f *fault) { // a resumption of all ends every pause
		f.admin.resume = func(ctx context.Context, typ string, n webhook.Note) error {
			if paused := f.paused(); typ == "" && slices.Contains(paused, "alpha.paused") {
				_ = f.MemInbox.Resume(ctx, "alpha.paused", n)
			}
			return f.MemInbox.Resume(ctx, typ, n)
		}
	}},
	{"a delivery of a paused type blocks its ordering key", func(f *fault) { // but not other types
		f.change(func(d *webhook.Delivery) {
			if d.Type == "alpha.blocked" {
				d.OrderingKey = ""
			}
		})
	}},
	{"a claim of a paused type can be extended and settled", func(f *fault) { // not extended
		f.admin.pause = func(ctx context.Context, typ string, n webhook.Note) error {
			for _, r := range f.stored(webhook.Filter{Type: typ, States: []webhook.State{webhook.Claimed}}) {
				if r.Delivery.OrderingKey != "" {
					_ = f.MemInbox.Release(ctx, r.Delivery.UID)
				}
			}
			return f.MemInbox.Pause(ctx, typ, n)
		}
	}},
	{"a lost claim of a paused type is claimed again after Resume", func(f *fault) { // at once
		f.claimInPauses(func(_ webhook.ClaimOptions, _ []string) bool {
			return f.count(webhook.Claimed) == 1 && len(f.stored(webhook.Filter{})) == 1
		})
	}},
	{"Stats have the pauses with their Notes and times, sorted by type", func(f *fault) { // unsorted
		f.changeStats(func(st *webhook.Stats) {
			if len(st.Paused) == 3 {
				slices.Reverse(st.Paused)
			}
		})
	}},
	{"Stats count what deliveries of a paused type block", func(f *fault) { // those of the type
		f.changeStats(func(st *webhook.Stats) {
			for i, p := range st.Paused {
				if p.Type != "" {
					st.Paused[i].Blocked = st.Types[p.Type][webhook.Blocked]
				}
			}
		})
	}},
	{"what is paused cannot be paused again, and its Note remains", func(f *fault) { // it is replaced
		f.admin.pause = func(ctx context.Context, typ string, n webhook.Note) error {
			err := f.MemInbox.Pause(ctx, typ, n)
			if errors.Is(err, webhook.ErrState) {
				_ = f.MemInbox.Resume(ctx, typ, n)
				return f.MemInbox.Pause(ctx, typ, n)
			}
			return err
		}
	}},
	{"what is not paused cannot be resumed", func(f *fault) { // it can
		f.admin.resume = func(ctx context.Context, typ string, n webhook.Note) error {
			err := f.MemInbox.Resume(ctx, typ, n)
			if errors.Is(err, webhook.ErrState) {
				return nil
			}
			return err
		}
	}},
	{"a pause without By is refused", func(f *fault) {
		f.admin.pause = func(ctx context.Context, typ string, n webhook.Note) error {
			if n.By == "" {
				n.By = "nobody"
			}
			return f.MemInbox.Pause(ctx, typ, n)
		}
	}},
	{"a resumption without By is refused", func(f *fault) {
		f.admin.resume = func(ctx context.Context, typ string, n webhook.Note) error {
			if n.By == "" {
				n.By = "nobody"
			}
			return f.MemInbox.Resume(ctx, typ, n)
		}
	}},
	{"a context that has ended pauses nothing", func(f *fault) {
		f.admin.pause = func(ctx context.Context, typ string, n webhook.Note) error {
			return f.MemInbox.Pause(context.WithoutCancel(ctx), typ, n)
		}
	}},
	{"a context that has ended resumes nothing", func(f *fault) {
		f.admin.resume = func(ctx context.Context, typ string, n webhook.Note) error {
			return f.MemInbox.Resume(context.WithoutCancel(ctx), typ, n)
		}
	}},
	{"Resume closes the channel of Changed", func(f *fault) { f.signalAllBut("Resume") }},
}

// paused returns the types that are paused.
func (f *fault) paused() (types []string) {
	st, _ := f.MemInbox.Stats(context.Background())
	for _, p := range st.Paused {
		types = append(types, p.Type)
	}
	return types
}

// claimInPauses lets a claim ignore the pauses if may returns true.
func (f *fault) claimInPauses(may func(o webhook.ClaimOptions, paused []string) bool) {
	f.claim = func(ctx context.Context, o webhook.ClaimOptions) ([]webhook.Claim, error) {
		if paused := f.paused(); len(paused) > 0 && may(o, paused) {
			for _, typ := range paused {
				_ = f.MemInbox.Resume(ctx, typ, someone)
				defer func() { _ = f.MemInbox.Pause(ctx, typ, someone) }()
			}
		}
		return f.MemInbox.Claim(ctx, o)
	}
}
