package env

import (
	"net/url"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/delay"
)

// Far starts a proxy in front of PostgreSQL, which must be there, that adds a
// round trip. The function through changes a DSN so that it leads through the
// proxy; stop ends the proxy with all its connections. A round trip of zero adds
// the proxy alone.
func (e *Env) Far(trip time.Duration) (through func(dsn string) string, stop func() error, err error) {
	near, err := url.Parse(e.server.DSN())
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
			return dsn // opening it fails too
		}
		u.Host = p.Addr()
		return u.String()
	}
	return through, p.Close, nil
}
