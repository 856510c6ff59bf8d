package sqlinbox

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// untakenAfter is how long a due delivery waits before its type counts as one
// that nobody takes.
const untakenAfter = time.Minute

// Stats counts deliveries; see [Admin].
func (in *Inbox) Stats(ctx context.Context) (Stats, error) {
	st := Stats{
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
	err = in.query(ctx, in.db, "oldest", args{}, func(row *sql.Rows) error {
		var typ string
		var due, now int64
		err := row.Scan(&typ, &due, &now)
		age := time.Duration(now-due) * time.Microsecond
		st.Oldest[typ] = age
		if age >= untakenAfter && !in.takes(typ) {
			st.Untaken = append(st.Untaken, typ)
		}
		return err
	})
	slices.Sort(st.Untaken)
	return st, err
}

// takes reports whether a claim of this inbox asked for the type.
func (in *Inbox) takes(typ string) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.anyType || in.asked[typ]
}

// reads fails early and clearly where the tables are not those that the
// listing statements know.
func (in *Inbox) reads(ctx context.Context) error {
	if in.readable.Load() {
		return nil
	}
	err := in.checkVersion(ctx, in.db)
	in.readable.Store(err == nil)
	return err
}

// Pending counts what is waiting, behind or claimed, due or not. It stops at
// most, so that it is quick however many there are.
func (in *Inbox) Pending(ctx context.Context, most int) (int, error) {
	if err := in.reads(ctx); err != nil {
		return 0, err
	}
	var n int
	err := in.query(ctx, in.db, "pending", args{"most": most}, scanOne(&n))
	return n, err
}
