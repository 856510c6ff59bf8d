package sqlinbox

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// unhandledAfter is how long a due delivery waits before its type counts as one
// that nobody takes.
const unhandledAfter = time.Minute

// Stats counts deliveries; see [webhook.Admin].
func (in *Inbox) Stats(ctx context.Context) (webhook.Stats, error) {
	st := webhook.Stats{
		Count:  make(map[webhook.State]int),
		Types:  make(map[string]map[webhook.State]int),
		Oldest: make(map[string]time.Duration),
	}
	if err := in.reads(ctx); err != nil {
		return st, err
	}
	err := in.query(ctx, in.db, "counts", args{}, func(row *sql.Rows) error {
		var typ string
		var state webhook.State
		var n int
		err := row.Scan(&typ, &state, &n)
		if st.Types[typ] == nil {
			st.Types[typ] = make(map[webhook.State]int)
		}
		st.Types[typ][state] += n
		st.Count[state] += n
		return err
	})
	if err != nil {
		return st, err
	}
	err = in.oldest(ctx, func(typ string, age time.Duration) {
		st.Oldest[typ] = age
		if in.isUnhandled(typ, age) {
			st.Unhandled = append(st.Unhandled, typ)
		}
	})
	slices.Sort(st.Unhandled)
	if err == nil {
		st.Paused, err = in.paused(ctx, "pauses")
	}
	return st, err
}

// Unhandled returns the types with deliveries that could have been claimed for
// a minute and that no Claim of this Inbox asks for, sorted. It is as quick
// with a million deliveries as with none.
func (in *Inbox) Unhandled(ctx context.Context) ([]string, error) {
	if err := in.reads(ctx); err != nil {
		return nil, err
	}
	var types []string
	err := in.oldest(ctx, func(typ string, age time.Duration) {
		if in.isUnhandled(typ, age) {
			types = append(types, typ)
		}
	})
	slices.Sort(types)
	return types, err
}

// oldest calls add for each type with the longest time for which a delivery of it
// could have been claimed: since it was due, or since its lease ran out.
func (in *Inbox) oldest(ctx context.Context, add func(typ string, age time.Duration)) error {
	return in.query(ctx, in.db, "oldest", args{}, func(row *sql.Rows) error {
		var typ string
		var since, now int64
		err := row.Scan(&typ, &since, &now)
		add(typ, time.Duration(now-since)*time.Microsecond)
		return err
	})
}

func (in *Inbox) isUnhandled(typ string, age time.Duration) bool {
	return age >= unhandledAfter && !in.takes(typ)
}

// takes reports whether a claim of this inbox asked for the type.
func (in *Inbox) takes(typ string) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.anyType || in.asked[typ]
}

// reads fails early and clearly if the tables are not those of the statements that
// list deliveries.
func (in *Inbox) reads(ctx context.Context) error {
	if in.readable.Load() {
		return nil
	}
	err := in.checkVersion(ctx, in.db)
	in.readable.Store(err == nil)
	return err
}

// Pending returns the number of unfinished deliveries, due or not; see
// [webhook.PendingCounter]. It stops counting at limit, so it is quick however many
// there are.
func (in *Inbox) Pending(ctx context.Context, limit int) (int, error) {
	if err := in.reads(ctx); err != nil {
		return 0, err
	}
	var n int
	err := in.query(ctx, in.db, "pending", args{"most": limit}, scanOne(&n))
	return n, err
}
