package sqlinbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
)

// lockGroup locks the keys of a group, whose arguments are a, and returns the jobs
// whose key it got. It marks the others as locked by another transaction.
func (e *postgresEngine) lockGroup(ctx context.Context, s session, group []*job, a args, m lockMode) ([]*job, error) {
	if m.waits {
		return group, e.lockEach(ctx, s, group, m)
	}
	got := map[orderKey]bool{}
	err := e.query(ctx, s, "try_lock", a, func(row *sql.Rows) error {
		var k orderKey
		var what string
		err := row.Scan(&k.source, &k.key, &what)
		got[k] = true
		return err
	})
	if err != nil {
		return nil, err
	}
	var ours []*job
	for _, j := range group {
		if k := j.put.orderKey(); k.key == "" || got[k] {
			ours = append(ours, j)
		} else {
			j.leftOut = true
		}
	}
	return ours, nil
}

func (e *postgresEngine) lockEach(ctx context.Context, s session, group []*job, m lockMode) error {
	for _, j := range group {
		if k := j.put.orderKey(); k.key != "" {
			if _, err := e.lock(ctx, s, k, m); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *postgresEngine) lock(ctx context.Context, s session, k orderKey, m lockMode) (hasHead bool, err error) {
	if !m.waits {
		return e.tryLock(ctx, s, k)
	}
	for range 20 {
		var what string
		a := args{"source": k.source, "key": k.key, "wait": m.timeout}
		if err := e.query(ctx, s, "lock", a, func(row *sql.Rows) error { return row.Scan(&what) }); err != nil {
			return false, err
		}
		if what != "again" {
			return what == "head", nil
		}
	}
	return false, fmt.Errorf("%w: %s", errConflict, k.key)
}

func (e *postgresEngine) tryLock(ctx context.Context, s session, k orderKey) (hasHead bool, err error) {
	var what string
	err = e.query(ctx, s, "try_lock", args{"rows": keyRows(k)}, func(row *sql.Rows) error {
		return row.Scan(new(string), new(string), &what)
	})
	if err == nil && what == "" {
		err = errLeftOut
	}
	return what == "head", err
}

// keyRows are keys as an argument, in JSON: a batch of which only these matter.
func keyRows(keys ...orderKey) string {
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
