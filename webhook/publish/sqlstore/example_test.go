package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish/sqlstore"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// The tables for a migration tool of one's own.
func ExampleSchema() {
	for line := range strings.Lines(sqlstore.Schema(sqlinbox.PostgreSQL)) {
		if name, ok := strings.CutPrefix(line, "CREATE TABLE "); ok {
			fmt.Println(strings.TrimSuffix(strings.TrimSpace(name), " ("))
		}
	}
	// Output:
	// hookhouse_publish_schema
	// hookhouse_endpoints
	// hookhouse_subscriptions
	// hookhouse_endpoint_attempts
}

// The store shares the database of the inbox, and seals the secrets of endpoints.
func ExampleNew() {
	open := func(ctx context.Context, db *sql.DB) (*sqlstore.Store, error) {
		inbox := sqlinbox.New(db, sqlinbox.PostgreSQL)
		store := sqlstore.New(inbox)
		store.SealKeys = []webhook.Key{{Label: "2026-11", Secret: webhook.NewSecret(os.Getenv("SEAL_KEY"))}}
		return store, errors.Join(inbox.Migrate(ctx), store.Migrate(ctx))
	}
	_ = open
}

// A new key takes the place of an old one.
func ExampleStore_Reseal() {
	rotate := func(ctx context.Context, store *sqlstore.Store) error {
		n, err := store.Reseal(ctx) // SealKeys: the new key, then the old one
		log.Println(n, "endpoints have the new key")
		return err
	}
	_ = rotate
}
