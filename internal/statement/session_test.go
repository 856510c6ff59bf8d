package statement

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
)

func open(t *testing.T) (*sql.DB, *recorder) {
	r := new(recorder)
	db := sql.OpenDB(r)
	t.Cleanup(func() { _ = db.Close() })
	return db, r
}

func TestAQueryRunsWithItsArguments(t *testing.T) {
	db, r := open(t)
	q := Compile("UPDATE t SET a = @a WHERE b = @b", Syntax{})
	n, err := q.Exec(t.Context(), db, Args{"b": int64(2), "a": int64(1)})
	if err != nil || n != 3 {
		t.Errorf("Exec returned %d, %v", n, err)
	}
	var rows []int
	err = Compile("SELECT a", Syntax{}).Each(t.Context(), db, nil, func(row *sql.Rows) error {
		var a int
		err := row.Scan(&a)
		rows = append(rows, a)
		return err
	})
	if err != nil || !slices.Equal(rows, []int{1, 2, 3}) {
		t.Errorf("Each had rows %v, %v", rows, err)
	}
	r.want(t, "UPDATE t SET a = ? WHERE b = ? [1 2]", "SELECT a []")
}

func TestEachStopsAtAnError(t *testing.T) {
	db, _ := open(t)
	stop, calls := errors.New("stop"), 0
	err := Each(t.Context(), db, "SELECT a", nil, func(*sql.Rows) error {
		calls++
		return stop
	})
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("Each returned %v after %d rows", err, calls)
	}
}

func TestAnEmptyQueryDoesNothing(t *testing.T) {
	db, r := open(t)
	n, err := Query{}.Exec(t.Context(), db, nil)
	if n != 0 || err != nil {
		t.Errorf("Exec returned %d, %v", n, err)
	}
	if err := (Query{}).Each(t.Context(), db, nil, nil); err != nil {
		t.Error(err)
	}
	r.want(t)
}

func TestAConnPreparesEachTextOnce(t *testing.T) {
	db, r := open(t)
	plain, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := NewConn(plain)
	for range 2 {
		if _, err := c.ExecContext(t.Context(), "COMMIT"); err != nil {
			t.Error(err)
		}
		if err := Each(t.Context(), c, "SELECT a", nil, func(*sql.Rows) error { return nil }); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.Unprepared().ExecContext(t.Context(), "PRAGMA x"); err != nil {
		t.Error(err)
	}
	if want := []string{"COMMIT", "SELECT a", "PRAGMA x"}; !slices.Equal(r.prepared, want) {
		t.Errorf("prepared %q, want %q", r.prepared, want)
	}
	c.Discard()
	if r.closed != 1 || db.Stats().OpenConnections != 0 {
		t.Errorf("%d connections were closed, %d are open", r.closed, db.Stats().OpenConnections)
	}
}

func TestTxCommitsOrRollsBack(t *testing.T) {
	failure := errors.New("failed")
	for _, tt := range []struct {
		name string
		f    func() error
		want string
	}{
		{"success", func() error { return nil }, "commit"},
		{"error", func() error { return failure }, "rollback"},
		{"panic", func() error { panic(failure) }, "rollback"},
		{"end of the goroutine", func() error { runtime.Goexit(); return nil }, "rollback"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db, r := open(t)
				done := make(chan error, 1)
				go func() {
					var err error
					defer func() {
						recover()
						done <- err
					}()
					err = Tx(t.Context(), db, nil, func(ctx context.Context, s Session) error { return tt.f() })
				}()
				if err := <-done; tt.name == "error" && !errors.Is(err, failure) || tt.name == "success" && err != nil {
					t.Errorf("Tx returned %v", err)
				}
				synctest.Wait() // database/sql may roll back in a goroutine of its own
				r.want(t, "begin", tt.want)
			})
		})
	}
}

func TestRetry(t *testing.T) {
	conflict := errors.New("conflict")
	isConflict := func(err error) bool { return errors.Is(err, conflict) }
	ended, end := context.WithCancel(t.Context())
	end()
	for _, tt := range []struct {
		name  string
		ctx   context.Context
		fails int // times
		err   error
		tries int
	}{
		{"success", t.Context(), 0, nil, 1},
		{"conflicts", t.Context(), 4, conflict, 5},
		{"conflicts without an end", t.Context(), 100, conflict, 10},
		{"another error", t.Context(), 100, errors.New("other"), 1},
		{"the end of the context", ended, 100, conflict, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tries := 0
			err := Retry(tt.ctx, isConflict, func() error {
				if tries++; tries <= tt.fails {
					return tt.err
				}
				return nil
			})
			if failed := tries <= tt.fails; tries != tt.tries || failed != (err != nil) {
				t.Errorf("%d tries, %v, want %d tries", tries, err, tt.tries)
			}
		})
	}
}
