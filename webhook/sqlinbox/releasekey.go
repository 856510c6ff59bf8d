package sqlinbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/hookhouse/hookhouse/webhook"
)

// ReleaseKey makes the next delivery of an ordering key due now; see [webhook.Admin]. On
// PostgreSQL it waits for a transaction that holds that delivery, until ctx ends.
func (in *Inbox) ReleaseKey(ctx context.Context, source, key string) error {
	if key == "" {
		return errors.New("sqlinbox: a release of an ordering key needs the key")
	}
	k := orderKey{source, key}
	a := args{"source": source, "key": key}
	for range 5 { // the next one may change between two statements
		var released int64
		err := in.engine.tx(ctx, func(ctx context.Context, s session) (err error) {
			released, err = in.exec(ctx, s, "release_key", a)
			return err
		})
		if err != nil {
			return err
		}
		if released > 0 {
			in.notify()
			return nil
		}
		var state webhook.State
		err = in.query(ctx, in.db, "head_state", a, func(row *sql.Rows) error { return row.Scan(&state) })
		switch {
		case err != nil:
			return err
		case state == webhook.Claimed:
			return fmt.Errorf("%w: the next delivery of ordering key %q of %s is claimed", webhook.ErrState, key, source)
		case state == "":
			repaired, err := in.repairKey(ctx, k)
			if err != nil {
				return err
			}
			if !repaired {
				return fmt.Errorf("%w with ordering key %q of %s", webhook.ErrNotFound, key, source)
			}
		}
	}
	return fmt.Errorf("%w: %s", errConflict, key)
}
