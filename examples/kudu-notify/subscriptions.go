package main

import (
	"context"
	"database/sql"
)

// A subscriptions table records that hooks for a URL were created at sites, so
// that these may send events. It compares both as readURL normalizes them. It
// holds no password: after a change, hooks with the old password send events
// until they are replaced. An entry is never removed, not even by -unsubscribe:
// then the program accepts events that no longer come.
type subscriptions struct {
	db    *sql.DB
	sites []site
	url   string
}

// newSubscriptions creates the table.
func newSubscriptions(ctx context.Context, db *sql.DB, sites []site, url string) (*subscriptions, error) {
	_, err := db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS notify_subscriptions (
		site TEXT NOT NULL,
		url  TEXT NOT NULL,
		PRIMARY KEY (site, url)
	)`)
	return &subscriptions{db, sites, url}, err
}

// record records that a hook exists at a site.
func (s *subscriptions) record(ctx context.Context, site string) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO notify_subscriptions (site, url) VALUES ($1, $2) ON CONFLICT DO NOTHING`, site, s.url)
	return err
}

// neverSubscribed reports whether it is certain that no hook of this program ever
// existed at any of its sites. It returns false if the database fails, because that is
// no reason to stop accepting events.
func (s *subscriptions) neverSubscribed(ctx context.Context) bool {
	for _, site := range s.sites {
		var n int
		err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM notify_subscriptions WHERE site = $1 AND url = $2`, site.url, s.url).Scan(&n)
		if err != nil || n > 0 {
			return false
		}
	}
	return true
}
