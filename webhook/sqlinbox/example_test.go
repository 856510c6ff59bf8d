package sqlinbox_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// The tables for a migration tool of one's own.
func ExampleSchema() {
	for line := range strings.Lines(sqlinbox.Schema(sqlinbox.PostgreSQL)) {
		if name, ok := strings.CutPrefix(line, "CREATE TABLE "); ok {
			fmt.Println(strings.TrimSuffix(strings.TrimSpace(name), " ("))
		}
	}
	// Output:
	// hookhouse_schema
	// hookhouse_deliveries
	// hookhouse_bodies
	// hookhouse_marks
	// hookhouse_replays
	// hookhouse_dedup_keys
	// hookhouse_attempts
	// hookhouse_pauses
	// hookhouse_cursors
}

// Dead letters of one cause are run again after the fix.
func ExampleInbox_Replay() {
	var inbox *sqlinbox.Inbox // of sqlinbox.New
	replay := func(ctx context.Context) error {
		n, err := inbox.Replay(ctx,
			webhook.Filter{States: []webhook.State{webhook.Dead}, Text: "connection refused"},
			webhook.Note{By: "ann", Why: "registry is back"})
		fmt.Println(n, "run again")
		return err
	}
	_ = replay
}

// The callback's own rows and the settlement are committed together.
func ExampleInbox_SettleTx() {
	var db *sql.DB
	var inbox *sqlinbox.Inbox // of sqlinbox.New(db, ...)
	book := webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
		tx, err := db.BeginTx(ctx, nil) // after all that is slow
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		c, _ := webhook.ClaimFromContext(ctx)
		if err := inbox.SettleTx(ctx, tx, c, webhook.Outcome{State: webhook.Done}); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO deploys (uid) VALUES ($1)", d.UID); err != nil {
			return err
		}
		return tx.Commit()
	})
	_ = book
}

// The program's own tables are in the database of the inbox.
func ExampleInbox_Write() {
	var inbox *sqlinbox.Inbox // of sqlinbox.New
	finish := func(ctx context.Context, build int64) error {
		return inbox.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE builds SET state = 'done' WHERE id = $1", build)
			return err
		})
	}
	_ = finish
}
