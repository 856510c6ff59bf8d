package sqlinbox

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// Pause stops the claiming of deliveries of a type, or of all, by all processes that
// share the database; see [webhook.Admin].
func (in *Inbox) Pause(ctx context.Context, typ string, n webhook.Note) error {
	n, err := checkedNote(ctx, n, "a pause")
	if err != nil {
		return err
	}
	typ = cleanText(typ)
	done := false
	err = in.engine.tx(ctx, func(ctx context.Context, s session) error {
		rows, err := in.exec(ctx, s, "pause", args{"type": typ, "who": n.By, "why": n.Why})
		done = rows > 0
		return err
	})
	switch {
	case err != nil:
		return err
	case !done:
		return fmt.Errorf("%w: there is a pause of %s already", webhook.ErrState, typeName(typ))
	}
	in.logger().Info("deliveries are not claimed any more: paused", "type", loggedType(typ), "by", n.By, "why", n.Why)
	return nil
}

// Resume ends a Pause; see [webhook.Admin]. Workers of other processes notice it at their
// next poll.
func (in *Inbox) Resume(ctx context.Context, typ string, n webhook.Note) error {
	n, err := checkedNote(ctx, n, "a resumption")
	if err != nil {
		return err
	}
	typ = cleanText(typ)
	done := false
	var by string
	var at int64
	err = in.engine.tx(ctx, func(ctx context.Context, s session) error {
		done = false
		return in.query(ctx, s, "resume", args{"type": typ}, func(row *sql.Rows) error {
			done = true
			return row.Scan(&at, &by)
		})
	})
	switch {
	case err != nil:
		return err
	case !done:
		return fmt.Errorf("%w: there is no pause of %s", webhook.ErrState, typeName(typ))
	}
	in.logger().Info("deliveries are claimed again: resumed", "type", loggedType(typ), "by", n.By, "why", n.Why, "paused_by", by, "paused_at", time.UnixMicro(at))
	in.notify()
	return nil
}

// paused returns the pauses in force, sorted by type, by the named statement.
func (in *Inbox) paused(ctx context.Context, name string) (list []webhook.Pause, err error) {
	err = in.query(ctx, in.db, name, args{}, func(row *sql.Rows) error {
		var p webhook.Pause
		var at int64
		err := row.Scan(&p.Type, &at, &p.By, &p.Why, &p.Blocked)
		p.At = time.UnixMicro(at)
		list = append(list, p)
		return err
	})
	return list, err
}

// typeName names a type of deliveries, or all of them, in a message.
func typeName(typ string) string {
	if typ == "" {
		return "all types"
	}
	return fmt.Sprintf("type %q", typ)
}

// loggedType is the attribute that names a type of deliveries, or all of them, in the log.
func loggedType(typ string) string { return cmp.Or(typ, "all") }

// checkedNote returns n as it is kept. It fails if n has no By, or ctx has ended.
func checkedNote(ctx context.Context, n webhook.Note, what string) (webhook.Note, error) {
	if n.By == "" {
		return n, errors.New("sqlinbox: " + what + " needs a Note with By")
	}
	return webhook.Note{By: reason(n.By), Why: reason(n.Why)}, ctx.Err()
}
