// Package env is what the commands of the bench share: the databases, the
// processes, the figures and the tables.
package env

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/hookhouse/hookhouse/internal/broker"
	"github.com/hookhouse/hookhouse/internal/dbtest/delay"
	"github.com/hookhouse/hookhouse/internal/dbtest/postgres"
)

// postgresSettings are the same for all implementations. With those of initdb a
// checkpoint would delay one run and not another.
var postgresSettings = []string{"shared_buffers=512MB", "max_wal_size=8GB", "checkpoint_timeout=1h"}

// An Env makes empty stores for runs: in a temporary folder, in a PostgreSQL server of its
// own, which is nil if PostgreSQL is not installed, and in a RabbitMQ node of its own.
type Env struct {
	Folder   string
	server   *postgres.Server
	broker   *broker.Cluster // nil until a queue is made
	noBroker bool            // that RabbitMQ is not installed has been said
	made     int             // number of stores so far; it is part of their names
}

// New makes an Env below dir, or in the system's temporary folder if dir is
// empty. The caller closes it.
func New(ctx context.Context, dir string) (*Env, error) {
	if dir != "" { // the server puts its data there as well
		if err := os.Setenv("TMPDIR", dir); err != nil {
			return nil, err
		}
	}
	e := new(Env)
	var err error
	if e.Folder, err = os.MkdirTemp("", "hookhouse-bench-"); err != nil {
		return nil, err
	}
	e.server, err = postgres.Start(ctx, postgresSettings...)
	if errors.Is(err, postgres.ErrNotInstalled) && os.Getenv("CI") != "true" {
		fmt.Fprintln(os.Stderr, "left out:", err)
		e.server, err = nil, nil
	}
	if err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// Close stops the servers and deletes the folder.
func (e *Env) Close() {
	if e.broker != nil {
		e.broker.Stop()
	}
	if e.server != nil {
		e.server.Stop()
	}
	_ = os.RemoveAll(e.Folder)
}

// Has reports whether stores of that backend can be made.
func (e *Env) Has(b Backend) bool {
	switch b {
	case PostgreSQL:
		return e.server != nil
	case RabbitMQ:
		return e.hasBroker()
	default:
		return true
	}
}

// Make makes an empty store. It returns what opens the store, which is a folder, the DSN of
// a schema or what [QueueOf] takes, and a function that removes it.
func (e *Env) Make(ctx context.Context, b Backend) (at string, remove func() error, err error) {
	e.made++
	switch b {
	case RabbitMQ:
		return e.makeQueue(ctx)
	case PostgreSQL:
	default:
		at = filepath.Join(e.Folder, fmt.Sprint(e.made))
		return at, func() error { return os.RemoveAll(at) }, os.Mkdir(at, 0o700)
	}
	name := fmt.Sprintf("bench%d", e.made)
	remove = func() error { return e.exec(context.WithoutCancel(ctx), "DROP SCHEMA "+name+" CASCADE") }
	// The checkpoint writes what earlier runs changed, so that this run does not.
	return e.server.DSN("search_path=" + name), remove, e.exec(ctx, "CREATE SCHEMA "+name, "CHECKPOINT")
}

func (e *Env) exec(ctx context.Context, statements ...string) error {
	db, err := sql.Open("pgx", e.server.DSN())
	if err != nil {
		return err
	}
	defer db.Close()
	for _, text := range statements {
		if _, err := db.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	return nil
}

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
