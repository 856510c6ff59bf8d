package statement

import (
	"context"
	"database/sql"
)

// ReadCommitted is for statements each of which must see what was committed before
// it began.
var ReadCommitted = &sql.TxOptions{Isolation: sql.LevelReadCommitted}

// Tx runs f once in a transaction of its own and commits it. If f fails, Tx rolls
// back and returns that error. If f panics, or ends its goroutine, the rollback runs
// in another goroutine: a driver that panicked may never return from it.
func Tx(ctx context.Context, db *sql.DB, o *sql.TxOptions, f func(ctx context.Context, s Session) error) error {
	tx, err := db.BeginTx(ctx, o)
	if err != nil {
		return err
	}
	returned := false
	defer func() {
		if returned {
			_ = tx.Rollback() // nothing after a commit
		} else {
			go tx.Rollback() // database/sql keeps its lock after a panic of the driver
		}
	}()
	if err = f(ctx, tx); err == nil {
		err = tx.Commit()
	}
	returned = true
	return err
}

// maxTries is how often Retry calls try.
const maxTries = 10

// Retry repeats try while it fails because two transactions got in each other's way,
// as again reports it, up to ten times or until ctx ends.
func Retry(ctx context.Context, again func(error) bool, try func() error) error {
	for n := 1; ; n++ {
		err := try()
		if err == nil || n == maxTries || !again(err) || ctx.Err() != nil {
			return err
		}
	}
}
