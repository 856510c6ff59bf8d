package sqlinbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
)

// A grip is how a transaction gets the keys that it decides about.
type grip struct {
	waits bool   // for whoever holds one; otherwise it is errHeld
	limit string // of each wait, as the database reads it; empty: the session's own
}

// errConflict: another transaction came in between, and what was decided does not
// hold. The transaction must roll back, and may be tried again.
var errConflict = errors.New("sqlinbox: another transaction came in between")

// lockRound holds the keys of a round, whose arguments are a, and returns the
// jobs whose key it got. The others are held.
func (in *Inbox) lockRound(ctx context.Context, s session, round []*job, a args, g grip) ([]*job, error) {
	if in.dialect.pinned {
		return round, nil
	}
	if g.waits {
		return round, in.lockEach(ctx, s, round, g)
	}
	got := map[keyed]bool{}
	err := in.query(ctx, s, "try_lock", a, func(row *sql.Rows) error {
		var k keyed
		var what string
		err := row.Scan(&k.source, &k.key, &what)
		got[k] = true
		return err
	})
	if err != nil {
		return nil, err
	}
	var ours []*job
	for _, j := range round {
		if k := j.put.keyed(); k.key == "" || got[k] {
			ours = append(ours, j)
		} else {
			j.held = true
		}
	}
	return ours, nil
}

func (in *Inbox) lockEach(ctx context.Context, s session, round []*job, g grip) error {
	for _, j := range round {
		if k := j.put.keyed(); k.key != "" {
			if _, err := in.lockKey(ctx, s, k, g); err != nil {
				return err
			}
		}
	}
	return nil
}

// lockKey holds one key until the end of the transaction, and reports whether it
// has a head.
func (in *Inbox) lockKey(ctx context.Context, s session, k keyed, g grip) (headed bool, err error) {
	if in.dialect.pinned {
		return true, nil
	}
	if !g.waits {
		var what string
		err := in.query(ctx, s, "try_lock", args{"rows": keyRows([]keyed{k})}, func(row *sql.Rows) error {
			return row.Scan(new(string), new(string), &what)
		})
		if err == nil && what == "" {
			err = errHeld
		}
		return what == "head", err
	}
	for range 20 {
		var what string
		a := args{"source": k.source, "key": k.key, "wait": g.limit}
		if err := in.query(ctx, s, "lock", a, func(row *sql.Rows) error { return row.Scan(&what) }); err != nil {
			return false, err
		}
		if what != "again" {
			return what == "head", nil
		}
	}
	return false, fmt.Errorf("%w: %s", errConflict, k.key)
}

// keyRows are keys as an argument, in JSON: a batch of which only these matter.
func keyRows(keys []keyed) string {
	type row struct {
		Source string `json:"source"`
		Key    string `json:"ordering_key"`
	}
	rows := make([]row, len(keys))
	for i, k := range keys {
		rows[i] = row{k.source, k.key}
	}
	text, _ := json.Marshal(rows) // strings only: cannot fail
	return string(text)
}
