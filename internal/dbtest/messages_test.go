package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// says demands an error that has each text in it, once.
func says(t *testing.T, err error, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err == nil || strings.Count(err.Error(), text) != 1 {
			t.Errorf("%v, want %q in it, once", err, text)
		}
	}
}

func TestADatabaseWithoutTablesSaysToCallMigrate(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		in := sqlinbox.New(openDB(t, driver, dsn), e.dialect)
		t.Cleanup(func() { _ = in.Close() })
		_, claiming := in.Claim(t.Context(), webhook.ClaimOptions{})
		for _, err := range []error{in.Check(t.Context()), webhook.Store(in).Handle(t.Context(), delivery("")), claiming} {
			says(t, err, "sqlinbox: schema is not migrated: call Inbox.Migrate: ", "sqlinbox", "hookhouse_schema")
		}
	})
}

func TestSettingsThatLoseCommitsAreNamedWithWhatToCopy(t *testing.T) {
	for _, e := range []engine{modernc, ncruces} {
		for name, test := range map[string]struct{ options, want string }{
			"nothing set":       {"", "it is DELETE without synchronous EXTRA"},
			"synchronous OFF":   {"?_pragma=synchronous(OFF)", "it is DELETE without synchronous EXTRA"},
			"journal in memory": {"?_pragma=journal_mode(MEMORY)", "it is memory"},
			"no journal":        {"?_pragma=synchronous(FULL)&_pragma=journal_mode(OFF)", "it is off"},
		} {
			t.Run(e.name+" "+name, func(t *testing.T) {
				driver, _ := e.store(t)
				file := "file:" + filepath.Join(t.TempDir(), "inbox.db")
				run(t, openDB(t, driver, file), "CREATE TABLE orders (id INTEGER)")
				in := sqlinbox.New(openDB(t, driver, file+test.options), e.dialect)
				t.Cleanup(func() { _ = in.Close() })
				err := in.Migrate(t.Context())
				if !errors.Is(err, sqlinbox.ErrNotDurable) {
					t.Fatalf("Migrate returned %v, want ErrNotDurable", err)
				}
				says(t, err, test.want)
				_, copied, ok := strings.Cut(err.Error(), `open it with "file:hookhouse.db`)
				copied, _, closed := strings.Cut(copied, `"`)
				if !ok || !closed {
					t.Fatalf("%v: there is nothing to copy", err)
				}
				in, _ = e.reopen(t, driver, file+copied)
				put(t, in, delivery(""))
			})
		}
	}
}

func TestTheDialectOfAnotherDatabaseIsNamedAndSoIsTheRightOne(t *testing.T) {
	type mistake struct {
		engine
		wrong *sqlinbox.Dialect
		texts []string
	}
	sqlite := []string{"sqlinbox: PostgreSQL: ", "the database looks like SQLite: give sqlinbox.SQLite to New"}
	mistakes := []mistake{{modernc, sqlinbox.PostgreSQL, sqlite}, {ncruces, sqlinbox.PostgreSQL, sqlite}}
	if theServer != nil {
		mistakes = append(mistakes, mistake{onPostgres(theServer), sqlinbox.SQLite,
			[]string{"sqlinbox: SQLite: ", "the database looks like PostgreSQL: give sqlinbox.PostgreSQL to New"}})
	}
	for _, m := range mistakes {
		for _, migrated := range []bool{false, true} {
			t.Run(m.name+map[bool]string{true: " with tables", false: " without tables"}[migrated], func(t *testing.T) {
				driver, dsn := m.store(t)
				if migrated {
					m.reopen(t, driver, dsn)
				}
				in := sqlinbox.New(openDB(t, driver, dsn), m.wrong)
				t.Cleanup(func() { _ = in.Close() })
				says(t, in.Migrate(t.Context()), m.texts...)
				says(t, in.Check(t.Context()), m.texts...)
				says(t, in.Put(t.Context(), delivery("")), m.texts...)
			})
		}
	}
}

func TestInTxOutsideACallbackIsDeadAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		d := put(t, in, delivery("key"))
		runs := 0
		handled(t, in, 1, func(context.Context, *webhook.Delivery) error {
			runs++
			return in.InTx(context.Background(), func(*sql.Tx) error { return nil })
		})
		r, err := in.Get(t.Context(), d.UID)
		if err != nil || r.State != webhook.Dead || runs != 1 {
			t.Errorf("it is %s after %d runs, %v, want dead after one", r.State, runs, err)
		}
		says(t, errors.New(r.Reason), "InTx needs the context that the callback got")
	})
}

func TestInTxSaysWhichHandleToUseWhereTheCallerWaitsForItself(t *testing.T) {
	for _, e := range []engine{modernc, ncruces} {
		t.Run(e.name, func(t *testing.T) {
			driver, dsn := e.store(t)
			in, db := e.reopen(t, driver, strings.Replace(dsn, "busy_timeout(5000)", "busy_timeout(10)", 1))
			run(t, db, "CREATE TABLE effects (uid TEXT)")
			put(t, in, delivery("key"))
			var wrong, right, own error
			handled(t, in, 1, func(ctx context.Context, d *webhook.Delivery) error {
				wrong = in.InTx(ctx, func(*sql.Tx) error {
					_, err := db.ExecContext(ctx, "INSERT INTO effects VALUES ('x')")
					return err
				})
				own = in.InTx(ctx, func(*sql.Tx) error { return errors.New("its own") })
				right = in.InTx(ctx, func(tx *sql.Tx) error {
					_, err := tx.ExecContext(ctx, "INSERT INTO effects VALUES ('x')")
					return err
				})
				return right
			})
			says(t, wrong, "database is locked", "inside InTx use its tx, not the *sql.DB")
			if own == nil || own.Error() != "its own" || right != nil {
				t.Errorf("an error of its own: %v; by its tx: %v", own, right)
			}
		})
	}
}

func TestWhatAnOldProcessIgnoredIsHandledAfterAReplay(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		in, _ := e.open(t)
		d := put(t, in, delivery("key"))
		before := &webhook.Mux{IgnoreUnhandled: true}
		handled(t, in, 1, before.Handle)
		if s := stateOf(t, in, d.UID); s != webhook.Ignored {
			t.Fatalf("it is %s, want ignored", s)
		}
		n, err := in.Replay(t.Context(), webhook.Filter{States: []webhook.State{webhook.Ignored}, Type: d.Type}, webhook.Note{By: "a test", Why: "a rolling deploy"})
		if err != nil || n != 1 {
			t.Fatalf("Replay returned %d, %v", n, err)
		}
		handled(t, in, 1, func(context.Context, *webhook.Delivery) error { return nil })
		if s := stateOf(t, in, d.UID); s != webhook.Done {
			t.Errorf("it is %s, want done", s)
		}
	})
}
