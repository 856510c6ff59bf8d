package dbtest

import (
	"errors"
	"strings"
	"testing"

	databases "github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

func TestPostgresSettingsThatLoseCommitsAreRefused(t *testing.T) {
	e := onPostgres(t)
	in, db := e.open(t)
	reload := func(name, change, want string) {
		run(t, db, "ALTER SYSTEM "+change)
		run(t, db, "SELECT pg_reload_conf()")
		waitFor(t, name+" is "+want, func() bool {
			var value string
			must(t, db.QueryRowContext(t.Context(), "SHOW "+name).Scan(&value))
			return value == want
		})
	}
	for _, name := range []string{"fsync", "full_page_writes"} {
		reload(name, "SET "+name+" = off", "off")
		fresh := sqlinbox.New(db, e.Dialect)
		for what, err := range map[string]error{
			"Check": in.Check(t.Context()), "Ping": in.Ping(t.Context()), "Put": fresh.Put(t.Context(), delivery("")),
		} {
			if !errors.Is(err, sqlinbox.ErrNotDurable) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %s returned %v, want ErrNotDurable", name, what, err)
			}
		}
		reload(name, "RESET "+name, "on")
		put(t, in, delivery(""))
	}
}

func TestAnEncodingThatLosesBytesIsRefused(t *testing.T) {
	onPostgres(t)
	db := openDB(t, "pgx", databases.Server.DSN())
	run(t, db, "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
	t.Cleanup(func() {
		if _, err := db.Exec("DROP DATABASE latin WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	latin := openDB(t, "pgx", strings.Replace(databases.Server.DSN(), "/postgres?", "/latin?", 1))
	in := sqlinbox.New(latin, sqlinbox.PostgreSQL)
	for what, err := range map[string]error{"Migrate": in.Migrate(t.Context()), "Put": in.Put(t.Context(), delivery(""))} {
		if !errors.Is(err, sqlinbox.ErrNotDurable) {
			t.Errorf("%s returned %v, want ErrNotDurable", what, err)
		}
	}
}

// The inbox does not use the session's synchronous_commit if commits could be lost.
func TestPostgresCommitsAPutWithSynchronousCommit(t *testing.T) {
	e := onPostgres(t)
	for asked, want := range map[string]string{"off": "on", "local": "on", "remote_apply": "remote_apply"} {
		driver, dsn := e.store(t)
		in, db := e.reopen(t, driver, dsn+"&synchronous_commit="+asked)
		run(t, db, `CREATE TABLE seen (value text);
			CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
			$$ BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NEW; END $$;
			CREATE TRIGGER see AFTER INSERT ON hookhouse_deliveries FOR EACH ROW EXECUTE FUNCTION see()`)
		put(t, in, delivery("", "mark"))
		coalesced := delivery("key")
		coalesced.Coalesce.Quiet = 1
		put(t, in, coalesced) // goes another way
		tx := begin(t, db)
		must(t, in.PutTx(t.Context(), tx, delivery("key")))
		commit(t, tx)
		if n := count(t, db, "seen WHERE value = '"+want+"'"); n != 3 {
			t.Errorf("%s: %d of 3 deliveries were committed with synchronous_commit = %s", asked, n, want)
		}
	}
}
