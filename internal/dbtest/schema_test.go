package dbtest

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

func TestManyMayMigrateAtOnceAndAgain(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		errs := make([]error, 8)
		var all sync.WaitGroup
		for i := range errs {
			in := sqlinbox.New(openDB(t, driver, dsn), e.dialect)
			all.Go(func() {
				errs[i] = in.Migrate(t.Context())
				errs[i] = errors.Join(errs[i], in.Close())
			})
		}
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		in, db := e.reopen(t, driver, dsn)
		put(t, in, delivery(""))
		if err := in.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := count(t, db, "hookhouse_deliveries"); n != 1 {
			t.Errorf("%d deliveries after another Migrate, want 1", n)
		}
		if n := count(t, db, "hookhouse_schema"); n != 1 {
			t.Errorf("%d schema rows, want 1", n)
		}
	})
}

func TestSchemaAsTextIsWhatMigrateMakes(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		db := openDB(t, driver, dsn)
		run(t, db, sqlinbox.Schema(e.dialect))
		in := sqlinbox.New(db, e.dialect)
		t.Cleanup(func() { _ = in.Close() })
		if err := in.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		put(t, in, delivery("key", "mark"))
	})
}

func TestWhatIsNotReadyIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, e engine) {
		driver, dsn := e.store(t)
		db := openDB(t, driver, dsn)
		refused := func(name string, want error) {
			t.Run(name, func(t *testing.T) {
				in := sqlinbox.New(db, e.dialect)
				t.Cleanup(func() { _ = in.Close() })
				_, list := in.Stats(t.Context())
				for what, err := range map[string]error{
					"Check": in.Check(t.Context()), "Ping": in.Ping(t.Context()), "Put": in.Put(t.Context(), delivery("")), "Stats": list,
				} {
					if !errors.Is(err, want) {
						t.Errorf("%s returned %v, want %v", what, err, want)
					}
				}
			})
		}
		refused("a database without tables", sqlinbox.ErrNotMigrated)
		run(t, db, sqlinbox.Schema(e.dialect))
		run(t, db, "UPDATE hookhouse_schema SET version = 0")
		refused("a database of an earlier version", sqlinbox.ErrNotMigrated)
		run(t, db, "UPDATE hookhouse_schema SET version = 999")
		refused("a database of a later version", sqlinbox.ErrNewerSchema)
		if err := sqlinbox.New(db, e.dialect).Migrate(t.Context()); !errors.Is(err, sqlinbox.ErrNewerSchema) {
			t.Errorf("Migrate returned %v, want ErrNewerSchema", err)
		}
	})
}

func TestSQLiteSettingsThatLoseCommitsAreRefused(t *testing.T) {
	for _, e := range []engine{modernc, ncruces} {
		for name, change := range map[string]struct {
			from, to string
			own      error // of the inbox's own connection
		}{
			"synchronous=NORMAL":  {"synchronous(FULL)", "synchronous(NORMAL)", nil}, // which raises it
			"synchronous=OFF":     {"synchronous(FULL)", "synchronous(OFF)", nil},
			"journal_mode=MEMORY": {"journal_mode(WAL)", "journal_mode(MEMORY)", sqlinbox.ErrNotDurable},
			"journal_mode=OFF":    {"journal_mode(WAL)", "journal_mode(OFF)", sqlinbox.ErrNotDurable},
		} {
			t.Run(e.name+" "+name, func(t *testing.T) {
				driver, dsn := e.store(t)
				db := openDB(t, driver, strings.ReplaceAll(dsn, change.from, change.to))
				run(t, db, sqlinbox.Schema(e.dialect))
				in := sqlinbox.New(db, e.dialect)
				t.Cleanup(func() { _ = in.Close() })
				if err := in.Check(t.Context()); !errors.Is(err, change.own) {
					t.Errorf("Check returned %v, want %v", err, change.own)
				}
				if err := in.Put(t.Context(), delivery("")); !errors.Is(err, change.own) {
					t.Errorf("Put returned %v, want %v", err, change.own)
				}
				tx, err := db.BeginTx(t.Context(), nil)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = tx.Rollback() }()
				if err := in.PutTx(t.Context(), tx, delivery("")); !errors.Is(err, sqlinbox.ErrNotDurable) {
					t.Errorf("PutTx returned %v, want ErrNotDurable", err)
				}
			})
		}
	}
}

func TestSQLiteSynchronousEXTRAIsTaken(t *testing.T) {
	driver, dsn := modernc.store(t)
	in, _ := modernc.reopen(t, driver, strings.ReplaceAll(dsn, "synchronous(FULL)", "synchronous(EXTRA)"))
	put(t, in, delivery(""))
}

func TestOneConnectionIsRefusedOnSQLite(t *testing.T) {
	driver, dsn := modernc.store(t)
	db := openDB(t, driver, dsn)
	db.SetMaxOpenConns(1)
	if err := sqlinbox.New(db, sqlinbox.SQLite).Migrate(t.Context()); !errors.Is(err, sqlinbox.ErrConnections) {
		t.Errorf("Migrate returned %v, want ErrConnections", err)
	}
}
