package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/hookhouse/hookhouse/webhook/publish/sqlstore"
)

// checkDatabase returns an error if the start would fail with the database or the keys that
// seal secrets in it. It creates and changes nothing.
func checkDatabase(ctx context.Context, cfg *config) error {
	if err := checkStore(ctx, cfg.database); err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	if _, err := os.Stat(cfg.database); err != nil && !isPostgres(cfg.database) {
		return nil // the start creates the file
	}
	store, err := connect(cfg.database)
	if err != nil {
		return fmt.Errorf("-db: %w", err)
	}
	defer store.close()
	endpoints := sqlstore.New(store.Inbox)
	endpoints.SealKeys = cfg.sealKeys
	switch err := endpoints.Check(ctx); {
	case errors.Is(err, sqlstore.ErrSealed):
		return fmt.Errorf("%s: %w", sealKeyName, err)
	case err != nil && !errors.Is(err, sqlstore.ErrNotMigrated): // the start creates the tables
		return fmt.Errorf("-db: %w", err)
	}
	return nil
}
