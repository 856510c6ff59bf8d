package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/postgres"
)

// postgresSettings are those of the server for all contenders. With initdb's
// own, a checkpoint would hit one run and spare another.
var postgresSettings = []string{"shared_buffers=512MB", "max_wal_size=8GB", "checkpoint_timeout=1h"}

// sqliteDSN names the database in a folder, with the settings that all
// contenders share. The inbox sets the same on its connection itself.
func sqliteDSN(folder string) string {
	return "file:" + filepath.Join(folder, "bench.db") +
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=wal_autocheckpoint(1000)&_txlock=immediate"
}

// A site is the ground on which runs set up their stores: a temporary folder,
// and a PostgreSQL of its own, nil where none is installed.
type site struct {
	folder string
	server *postgres.Server
	made   int // stores, so that each gets another name
}

// newSite makes one below dir, the system's temporary folder where that is
// empty.
func newSite(ctx context.Context, dir string) (*site, error) {
	if dir != "" { // PostgreSQL's folder goes where the system says
		if err := os.Setenv("TMPDIR", dir); err != nil {
			return nil, err
		}
	}
	s := new(site)
	var err error
	if s.folder, err = os.MkdirTemp("", "hookhouse-bench-"); err != nil {
		return nil, err
	}
	s.server, err = postgres.Start(ctx, postgresSettings...)
	if errors.Is(err, postgres.ErrNotInstalled) && os.Getenv("CI") != "true" {
		fmt.Fprintln(os.Stderr, "left out:", err)
		s.server, err = nil, nil
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *site) close() {
	if s.server != nil {
		s.server.Stop()
	}
	_ = os.RemoveAll(s.folder)
}

// has reports whether stores can be made there.
func (s *site) has(p place) bool { return p != inPostgres || s.server != nil }

// make sets up an empty store and returns how to open and how to remove it.
func (s *site) make(ctx context.Context, p place) (at string, remove func() error, err error) {
	s.made++
	if p != inPostgres {
		at = filepath.Join(s.folder, fmt.Sprint(s.made))
		return at, func() error { return os.RemoveAll(at) }, os.Mkdir(at, 0o700)
	}
	name := fmt.Sprintf("bench%d", s.made)
	remove = func() error { return s.run(context.WithoutCancel(ctx), "DROP SCHEMA "+name+" CASCADE") }
	// What others left dirty is written before, not during.
	return s.server.DSN("search_path=" + name), remove, s.run(ctx, "CREATE SCHEMA "+name, "CHECKPOINT")
}

func (s *site) run(ctx context.Context, texts ...string) error {
	db, err := sql.Open("pgx", s.server.DSN())
	if err != nil {
		return err
	}
	defer db.Close()
	for _, text := range texts {
		if _, err := db.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	return nil
}

// used is the processor time that the site's own server has used so far; zero
// where the system does not tell.
func (s *site) used() time.Duration {
	if s.server == nil {
		return 0
	}
	return treeTime(s.server.PID())
}
