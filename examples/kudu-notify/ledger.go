package main

import (
	"context"
	"database/sql"
)

// A ledger remembers that a site has been subscribed to for a URL, and so may
// call. It compares both as readURL spells them. There is no password in it: after a change the hooks with the old one
// call on until they are replaced. What is noted stays, also after -unsubscribe:
// then calls are taken that do not come.
type ledger struct {
	db        *sql.DB
	site, url string
}

// newLedger makes its table.
func newLedger(ctx context.Context, db *sql.DB, site, url string) (*ledger, error) {
	_, err := db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS notify_subscriptions (
		site TEXT NOT NULL,
		url  TEXT NOT NULL,
		PRIMARY KEY (site, url)
	)`)
	return &ledger{db, site, url}, err
}

// note is called when a hook is there.
func (l *ledger) note(ctx context.Context) error {
	_, err := l.db.ExecContext(ctx, `INSERT INTO notify_subscriptions (site, url) VALUES ($1, $2) ON CONFLICT DO NOTHING`, l.site, l.url)
	return err
}

// never reports whether it is certain that no hook of this program was ever
// there. A database that cannot tell is no reason to stop taking calls.
func (l *ledger) never(ctx context.Context) bool {
	var n int
	err := l.db.QueryRowContext(ctx, `SELECT count(*) FROM notify_subscriptions WHERE site = $1 AND url = $2`, l.site, l.url).Scan(&n)
	return err == nil && n == 0
}
