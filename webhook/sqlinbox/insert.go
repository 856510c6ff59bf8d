package sqlinbox

import (
	"context"
	"database/sql"
)

// putArgs are the arguments of statements that take a batch.
func (in *Inbox) putArgs(batch []*entry, wait string) args {
	a := args{"window": in.window(), "wait": wait}
	if !in.dialect.pinned {
		a["rows"], a["bytes"] = pack(batch)
	}
	return a
}

// each runs a statement for a batch: once where it takes all of it, otherwise
// for each delivery.
func (in *Inbox) each(ctx context.Context, s session, name string, batch []*entry, a args, scan func(row *sql.Rows) error) error {
	if !in.dialect.pinned {
		batch = batch[:1]
	}
	for n, e := range batch {
		if in.dialect.pinned {
			e.fill(a)
			a["n"] = n
		}
		var err error
		if scan == nil {
			_, err = in.exec(ctx, s, name, a)
		} else {
			err = in.query(ctx, s, name, a, scan)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// insert stores a batch with one statement, and returns the UIDs stored.
func (in *Inbox) insert(ctx context.Context, s session, batch []*entry, wait string) (map[string]bool, error) {
	stored := make(map[string]bool, len(batch))
	err := in.query(ctx, s, "insert", in.putArgs(batch, wait), func(row *sql.Rows) error {
		var uid string
		err := row.Scan(&uid)
		stored[uid] = true
		return err
	})
	return stored, err
}

// insertEach stores deliveries one by one.
func (in *Inbox) insertEach(ctx context.Context, s session, batch []*entry, a args) error {
	for _, e := range batch {
		e.fill(a)
		for _, name := range []string{"insert", "insert_bodies", "insert_marks"} {
			if name == "insert_marks" && len(e.marks) == 0 {
				continue
			}
			if _, err := in.exec(ctx, s, name, a); err != nil {
				return err
			}
		}
	}
	return nil
}

func entries(batch []*job) []*entry {
	list := make([]*entry, len(batch))
	for i, j := range batch {
		list[i] = j.put
	}
	return list
}
