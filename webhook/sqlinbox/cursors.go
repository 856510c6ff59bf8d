package sqlinbox

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/hookhouse/hookhouse/internal/limit"
	"github.com/hookhouse/hookhouse/webhook"
)

// Cursor returns the value of a cursor; see [webhook.Cursors]. An invalid name is
// [ErrInvalid].
func (in *Inbox) Cursor(ctx context.Context, name string) (string, error) {
	if err := checkCursor(ctx, name); err != nil {
		return "", err
	}
	return in.cursor(ctx, in.db, name)
}

// SetCursor changes the value of a cursor; see [webhook.Cursors]. An invalid name or value
// is [ErrInvalid].
//
// On PostgreSQL, SetCursor does not raise synchronous_commit: if a power loss takes the new
// value back, something is found again. The server writes commits in their order, so a
// value that survives is never ahead of a Put that returned before.
func (in *Inbox) SetCursor(ctx context.Context, name, from, to string) error {
	if err := checkCursor(ctx, name, from, to); err != nil {
		return err
	}
	statement := "move_cursor"
	switch {
	case from == to:
		return in.cursorIs(ctx, name, from, to)
	case from == "":
		statement = "insert_cursor"
	case to == "":
		statement = "delete_cursor"
	}
	var now string
	var moved bool
	err := in.engine.tx(ctx, func(ctx context.Context, s session) error {
		n, err := in.exec(ctx, s, statement, args{"name": name, "from": from, "to": to})
		if moved = n > 0; err != nil || moved {
			return err
		}
		now, err = in.cursor(ctx, s, name)
		return err
	})
	if err != nil || moved || now == to {
		return err
	}
	return cursorMoved(name, now, from)
}

// cursorIs is SetCursor where the two values are equal, so that there is nothing to write.
func (in *Inbox) cursorIs(ctx context.Context, name, from, to string) error {
	now, err := in.cursor(ctx, in.db, name)
	if err != nil || now == to {
		return err
	}
	return cursorMoved(name, now, from)
}

func cursorMoved(name, now, from string) error {
	return fmt.Errorf("%w: %q is %q, not %q", webhook.ErrCursorMoved, name, now, from)
}

func (t *tables) cursor(ctx context.Context, s session, name string) (value string, err error) {
	err = t.query(ctx, s, "cursor", args{"name": name}, func(row *sql.Rows) error { return row.Scan(&value) })
	return value, err
}

// checkCursor refuses a name and values that not every database stores.
func checkCursor(ctx context.Context, name string, values ...string) error {
	if err := limit.Cursor(name, values...); err != nil {
		return webhook.Permanent(fmt.Errorf("%w: %w", ErrInvalid, err))
	}
	return ctx.Err()
}

// Known reports which dedup keys are known; see [webhook.Knower].
func (in *Inbox) Known(ctx context.Context, source string, keys []string) ([]bool, error) {
	if err := limit.Keys(len(keys)); err != nil {
		return nil, webhook.Permanent(fmt.Errorf("%w: %w", ErrInvalid, err))
	}
	known := make([]bool, len(keys))
	if len(keys) == 0 {
		return known, ctx.Err()
	}
	hashes := make([]byte, 0, hashSize*len(keys))
	for _, key := range keys {
		hashes = appendHash(hashes, source, key)
	}
	err := in.query(ctx, in.db, "known", args{"hashes": hashes, "window": in.window()}, func(row *sql.Rows) error {
		var place int
		err := row.Scan(&place)
		if err == nil {
			known[place] = true
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return known, nil
}
