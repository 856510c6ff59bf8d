package main

import (
	"net/url"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/delay"
)

// far puts the site's PostgreSQL, which must be there, a round trip away:
// through leads a DSN there by the far way. Done ends it, with all connections. A
// trip of zero adds nothing but the proxy.
func (s *site) far(trip time.Duration) (through func(dsn string) string, done func() error, err error) {
	near, err := url.Parse(s.server.DSN())
	if err != nil {
		return nil, nil, err
	}
	p, err := delay.Start(near.Host, trip)
	if err != nil {
		return nil, nil, err
	}
	through = func(dsn string) string {
		u, err := url.Parse(dsn)
		if err != nil {
			return dsn // which cannot be opened either
		}
		u.Host = p.Addr()
		return u.String()
	}
	return through, p.Close, nil
}
