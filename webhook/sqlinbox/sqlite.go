package sqlinbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hookhouse/hookhouse/internal/statement"
	"github.com/hookhouse/hookhouse/webhook"
)

// SQLite is SQLite 3.38 or later. The *sql.DB must allow at least two
// connections: the inbox keeps one to write.
var SQLite = sqliteDialect

var sqliteDialect = &Dialect{
	name:    "SQLite",
	files:   "sqlite",
	queries: sqliteQueries(),
	setup:   []string{"PRAGMA busy_timeout = 5000", "PRAGMA wal_autocheckpoint = 1000"},
	// Set even where it reads FULL: a driver may have another default for WAL, which
	// takes effect later.
	raise: &raise{"SELECT synchronous FROM pragma_synchronous", []string{"3"}, "PRAGMA synchronous = FULL"},
	// A file that is new has a journal that is deleted, unless the program has set
	// another. With EXTRA the program has chosen it.
	empty: &raise{`SELECT CASE WHEN journal_mode = 'delete' AND synchronous < 3 AND NOT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table')
		THEN 'new' ELSE journal_mode END FROM pragma_journal_mode, pragma_synchronous`,
		[]string{"wal", "truncate", "persist", "delete", "memory", "off"}, "PRAGMA journal_mode = WAL"},
	advice: sqliteAdvice,
	settings: []setting{
		{query: "SELECT CASE synchronous WHEN 0 THEN '0 (OFF)' WHEN 1 THEN '1 (NORMAL)' ELSE synchronous END FROM pragma_synchronous",
			allowed: []string{"2", "3"}, advice: "synchronous must be FULL or EXTRA"},
		// The name of a deleted journal is gone for certain only with EXTRA; before,
		// a power loss may bring it back, and it undoes what was committed.
		{query: `SELECT CASE WHEN journal_mode = 'delete' AND synchronous < 3 THEN 'DELETE without synchronous EXTRA' ELSE journal_mode END
			FROM pragma_journal_mode, pragma_synchronous`,
			allowed: []string{"wal", "truncate", "persist", "delete"}, advice: "journal_mode must be WAL, or another that survives a power loss"},
	},
	isError:     isOfSQLite,
	replayBytes: 1 << 20,
	newEngine:   newSQLiteEngine,
}

func init() { dialects = append(dialects, SQLite) }

// sqliteQueries reads the statements. What only tries to lock a row elsewhere is a
// look here.
func sqliteQueries() statement.Set {
	set := readQueries("query/sqlite.sql", statement.Syntax{})
	set["try_find"] = set["find"]
	return set
}

// A sqliteEngine writes on one connection, in a goroutine that has it to itself. All
// that the inbox writes goes through its queue, so that puts, claims and settlements
// that wait together share a transaction. Others of this process that write, in
// [Inbox.InTx] and [Inbox.Write], take turns with it by a mutex.
type sqliteEngine struct {
	*tables
	host
	writer  *writer
	conn    *writerConn // nil until the first write and after a failure; of the writer's goroutine
	mutex   writeMutex
	file    atomic.Pointer[file] // of the last conn, or of the first Write if that came before
	dropped sync.Once
}

func newSQLiteEngine(t *tables, h host) engine {
	e := &sqliteEngine{tables: t, host: h, mutex: newWriteMutex()}
	e.writer = newWriter(h, e.commit, e.abandonConn)
	return e
}

func (e *sqliteEngine) close() {
	e.writer.queue.stop()
	e.dropped.Do(e.dropConn) // the writer's goroutine has ended
}

func (e *sqliteEngine) tx(ctx context.Context, f func(ctx context.Context, s session) error) error {
	return e.submit(ctx, &job{work: f})
}

// stmt is tx: what waits for the one writer shares its transaction.
func (e *sqliteEngine) stmt(ctx context.Context, f func(ctx context.Context, s session) error) error {
	return e.tx(ctx, f)
}

func (e *sqliteEngine) submit(ctx context.Context, j *job) error {
	if e.insideWrite(ctx) != nil {
		return errTxOpen
	}
	return e.writer.submit(ctx, j)
}

// commit is the writer's tryCommit. Its context is not that of a caller, so that no
// caller's end cancels the others. A statement waits for no lock once it has begun.
func (e *sqliteEngine) commit(batch []*job, _ time.Duration) (shared bool, err error) {
	ctx := context.Background()
	c, err := e.writerConn(ctx)
	if err != nil {
		return true, err
	}
	if err := e.mutex.lockBatch(); err != nil {
		return true, err
	}
	defer e.mutex.unlockBatch()
	return e.inTransaction(ctx, c, func(s session) error {
		if err := e.storeBatch(ctx, s, batch); err != nil {
			return err
		}
		for _, j := range batch {
			if j.work != nil {
				if err := j.work(ctx, s); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// lock has nothing to lock: nobody else writes. It does not look, and says that k has a
// head, since no other transaction can take it away.
func (e *sqliteEngine) lock(context.Context, session, orderKey, lockMode) (hasHead bool, err error) {
	return true, nil
}

// settleDone leaves every claim to tx, which settles it together with others.
func (e *sqliteEngine) settleDone(context.Context, webhook.Claim) (settled bool, err error) {
	return false, nil
}

// replay runs a batch again in one of the writer's transactions.
func (e *sqliteEngine) replay(ctx context.Context, r *replay, uids []string) error {
	done := 0
	err := e.tx(ctx, func(ctx context.Context, s session) error {
		done = 0
		for _, uid := range uids {
			ok, err := r.one(ctx, s, uid, r.done+done)
			if err != nil {
				return err
			}
			done += number(ok)
		}
		return nil
	})
	if err == nil {
		r.done += done
	}
	return err
}

// check checks the connection that writes.
func (e *sqliteEngine) check(ctx context.Context) error {
	return e.tx(ctx, func(ctx context.Context, s session) error { return e.checkAll(ctx, s, e.host) })
}

func (e *sqliteEngine) replicated(context.Context) error { return nil }

// txError says what to do where the caller's statement waited for the caller's own
// transaction.
func (e *sqliteEngine) txError(method string, err error) error {
	if statement.IsBusy(err) && !errors.Is(err, errTxOpen) {
		return fmt.Errorf("%w: inside %s use its tx, not the *sql.DB", err, method)
	}
	return err
}
