package sqlinbox

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// Overview counts deliveries up to a limit; see [webhook.Admin].
func (in *Inbox) Overview(ctx context.Context, limit int) (webhook.Overview, error) {
	o := webhook.Overview{Count: make(map[webhook.State]webhook.Count), Oldest: make(map[string]time.Duration)}
	if limit < 1 {
		return o, fmt.Errorf("sqlinbox: the limit of an Overview is %d; it must be positive", limit)
	}
	if err := in.reads(ctx); err != nil {
		return o, err
	}
	counted := make(map[webhook.State]int)
	// One more than the limit says whether there are more.
	err := in.query(ctx, in.db, "overview", args{"most": limit + 1}, func(row *sql.Rows) error {
		var state webhook.State
		var n int
		err := row.Scan(&state, &n)
		counted[state] += n
		return err
	})
	if err != nil {
		return o, err
	}
	share := []webhook.State{webhook.Done, webhook.Superseded, webhook.Ignored}
	together := 0
	for _, s := range share {
		together += counted[s]
	}
	for s, n := range counted {
		more := n > limit || together > limit && slices.Contains(share, s)
		o.Count[s] = webhook.Count{N: min(n, limit), More: more}
	}
	if together > limit {
		for _, s := range share {
			o.Count[s] = webhook.Count{N: o.Count[s].N, More: true}
		}
	}
	err = in.oldest(ctx, func(typ string, age time.Duration) {
		o.Oldest[typ] = age
		if in.isUnhandled(typ, age) {
			o.Unhandled = append(o.Unhandled, typ)
		}
	})
	slices.Sort(o.Unhandled)
	if err == nil {
		o.Paused, err = in.paused(ctx, "in_force")
	}
	return o, err
}
