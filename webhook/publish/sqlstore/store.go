package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/hookhouse/hookhouse/internal/statement"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A Store is a [publish.Store] in the database of an Inbox. Make it with [New], and call
// [Store.Migrate] or [Store.Check] when the program starts. Set the fields before use. It is
// safe for concurrent use, and several of them, in one process or many, may share a
// database. It needs no Close.
type Store struct {
	// SealKeys seal the secrets of endpoints where they are stored. The first one seals, and
	// all of them open. If empty, secrets are stored in clear text.
	//
	// The Secret of a key has 32 bytes or more, which nobody can guess: take the output of
	// "openssl rand -base64 32". Its Label is stored beside what it has sealed, so it must
	// not be empty, be another for each key, and have up to 255 bytes.
	//
	// To change to a new key, put it first in all processes, call [Store.Reseal], and remove
	// the old one.
	SealKeys []webhook.Key
	// Logger gets the warnings of Migrate and Check. If nil, slog.Default.
	Logger *slog.Logger

	inbox    *sqlinbox.Inbox
	dialect  *dialect
	sealer   func() (*sealer, error)
	verified atomic.Bool // the version of the schema
	written  atomic.Bool // a transaction of the Inbox has committed
	recorder recorder
	finder   reader[string, found]
	matcher  reader[kind, []publish.Target]
}

var _ publish.Store = (*Store)(nil)

// New returns a Store in the database of the Inbox, whose tables must be migrated first. All
// that the Store writes takes its turn with the writes of the Inbox: see
// [sqlinbox.Inbox.Write]. New does not use the database. It panics if inbox is nil.
func New(inbox *sqlinbox.Inbox) *Store {
	if inbox == nil {
		panic("sqlstore: New needs an inbox")
	}
	s := &Store{inbox: inbox, dialect: dialectOf(inbox.Dialect())}
	s.sealer = sync.OnceValues(func() (*sealer, error) { return newSealer(s.SealKeys) })
	s.recorder.commit, s.recorder.refuses, s.recorder.commitAlone = s.commit, statement.IsRefusal, s.commitPlain
	s.finder.what, s.finder.read, s.finder.refuses = "endpoint", s.find, statement.IsRefusal
	s.matcher.what, s.matcher.read, s.matcher.refuses = "match", s.match, statement.IsRefusal
	return s
}

// session and args are as in package statement.
type (
	session = statement.Session
	args    = statement.Args
)

// exec runs the named statement and returns how many rows it changed.
func (s *Store) exec(ctx context.Context, on session, name string, a args) (int64, error) {
	n, err := s.dialect.queries.Get(name).Exec(ctx, on, a)
	return n, s.explain(ctx, name, err)
}

// query runs the named statement and calls scan with each row.
func (s *Store) query(ctx context.Context, on session, name string, a args, scan func(row *sql.Rows) error) error {
	return s.explain(ctx, name, s.dialect.queries.Get(name).Each(ctx, on, a, scan))
}

// read is query on any connection, tried again after a conflict: the server may run each
// statement as a serializable transaction. Scan must be able to begin again, and reset is
// called before each try.
func (s *Store) read(ctx context.Context, what string, q statement.Query, a args, reset func(), scan func(row *sql.Rows) error) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	return s.explain(ctx, what, statement.Retry(ctx, statement.IsConflict, func() error {
		reset()
		return q.Each(ctx, s.inbox.DB(), a, scan)
	}))
}

// write runs f in a transaction that the Inbox commits durably: READ COMMITTED on
// PostgreSQL, and the only one that writes on SQLite. After a conflict f is called again.
func (s *Store) write(ctx context.Context, f func(ctx context.Context, tx *sql.Tx) error) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	err := statement.Retry(ctx, isConflict, func() error { return s.inbox.Write(ctx, f) })
	if err == nil {
		s.written.Store(true)
	}
	return err
}

// isConflict reports whether another transaction got in the way of this one, or has taken a
// name or an ID since this one looked.
func isConflict(err error) bool { return statement.IsConflict(err) || statement.State(err) == "23505" }

// explain says what failed, and prefers the end of ctx to what a driver makes of it. If the
// tables are not those that a statement is made for, the next use checks them again.
func (s *Store) explain(ctx context.Context, what string, err error) error {
	if err == nil {
		return nil
	}
	if statement.IsOtherSchema(err) {
		s.verified.Store(false)
	}
	if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		return fmt.Errorf("sqlstore: %s: %w: %w", what, ctx.Err(), err)
	}
	return fmt.Errorf("sqlstore: %s: %w", what, err)
}

// logger returns Logger, or slog.Default if it is nil.
func (s *Store) logger() *slog.Logger {
	if s.Logger == nil {
		return slog.Default()
	}
	return s.Logger
}

// list is a list as an argument, in JSON. It leaves out what no column has.
func list[T ~string](values []T) string {
	texts := []T{}
	for _, v := range values {
		if isText(string(v)) {
			texts = append(texts, v)
		}
	}
	text, _ := json.Marshal(texts) // strings only: cannot fail
	return string(text)
}

// isText reports whether a column can have the value: UTF-8 without NUL.
func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// unique returns the values sorted, each once.
func unique(values []string) []string {
	slices.Sort(values)
	return slices.Compact(values)
}
