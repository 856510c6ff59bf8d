package dbtest

import (
	"database/sql"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/internal/dbtest/fault"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A pausedStore is a store in which a statement of one inbox can be paused while it
// runs: after it has read rows, before or after it has locked some. Another inbox
// acts meanwhile.
type pausedStore struct {
	paused    *sqlinbox.Inbox // is stopped
	pausedDB  *sql.DB
	other     *sqlinbox.Inbox
	db        *sql.DB // of other
	otherPlan *fault.Plan
	locker    *sql.Conn // has the lock for which the stopped one waits
}

// pauseFunctions replace functions of the server that statements call. The n-th call,
// where n is the value of the sequence stop_at, waits for the locker.
const pauseFunctions = `
CREATE SEQUENCE calls;
CREATE SEQUENCE stop_at;
CREATE FUNCTION stop() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF pg_catalog.nextval('calls') = (SELECT last_value FROM stop_at) THEN
		WHILE NOT pg_catalog.pg_try_advisory_lock_shared(4711) LOOP
			PERFORM pg_catalog.pg_sleep(0.002);
		END LOOP;
		PERFORM pg_catalog.pg_advisory_unlock_shared(4711);
	END IF;
END $$;
CREATE FUNCTION statement_timestamp() RETURNS timestamptz STABLE LANGUAGE plpgsql AS
	$$ BEGIN PERFORM stop(); RETURN pg_catalog.statement_timestamp(); END $$;
CREATE FUNCTION hashtextextended(text, bigint) RETURNS bigint STABLE LANGUAGE plpgsql AS
	$$ BEGIN PERFORM stop(); RETURN pg_catalog.hashtextextended($1, $2); END $$;
CREATE FUNCTION nextval(regclass) RETURNS bigint VOLATILE LANGUAGE plpgsql AS
	$$ BEGIN PERFORM stop(); RETURN pg_catalog.nextval($1); END $$;
CREATE FUNCTION jsonb_array_elements_text(jsonb) RETURNS SETOF text STABLE LANGUAGE plpgsql AS
	$$ BEGIN PERFORM stop(); RETURN QUERY SELECT * FROM pg_catalog.jsonb_array_elements_text($1); END $$;`

func newPausedStore(t *testing.T) *pausedStore {
	t.Helper()
	e := onPostgres(t)
	driver, dsn := e.store(t)
	s := new(pausedStore)
	s.other, s.db, s.otherPlan = openWatched(t, e, driver, dsn)
	run(t, s.db, pauseFunctions)
	s.paused, s.pausedDB = e.reopen(t, driver, dsn+",pg_catalog")
	for _, in := range []*sqlinbox.Inbox{s.paused, s.other} {
		in.Logger = slog.New(slog.DiscardHandler)
		in.Retention, in.DeadRetention = time.Microsecond, time.Microsecond
	}
	var err error
	if s.locker, err = s.db.Conn(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.locker.Close() })
	return s
}

func (s *pausedStore) query(t *testing.T, query string) (n int) {
	t.Helper()
	if err := s.locker.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// during runs act, pauses it at its n-th call, and runs another. It reports whether
// act made n calls.
func (s *pausedStore) during(t *testing.T, n int, act, another func() error) (reached bool, acted, came error) {
	t.Helper()
	s.query(t, "SELECT 1 FROM (SELECT pg_advisory_lock(4711)) x")
	s.query(t, "SELECT setval('calls', 1, false)")
	s.query(t, fmt.Sprintf("SELECT setval('stop_at', %d)", n))
	actDone, anotherDone := make(chan error, 1), make(chan error, 1)
	go func() { actDone <- act() }()
	waitFor(t, "the statement is paused or has ended", func() bool {
		reached = s.query(t, fmt.Sprintf("SELECT (last_value >= %d AND is_called)::int FROM calls", n)) == 1
		return reached || len(actDone) > 0
	})
	if reached {
		var operations atomic.Int64
		s.otherPlan.Watch(func(string) { operations.Add(1) }, nil)
		go func() { anotherDone <- another() }()
		waitFor(t, "the other has ended or waits", func() bool {
			return len(anotherDone) > 0 || operations.Load() > 30 || s.query(t, "SELECT count(*) FROM pg_locks WHERE NOT granted") > 0
		})
	} else {
		anotherDone <- nil
	}
	s.query(t, "SELECT 1 FROM (SELECT pg_advisory_unlock(4711)) x")
	acted, came = <-actDone, <-anotherDone
	s.otherPlan.Watch(nil, nil)
	return reached, acted, came
}
