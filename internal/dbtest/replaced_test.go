package dbtest

import (
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// If a backup replaces the file, an open database goes on writing to the old file,
// which has no name.
func TestAReplacedFileIsErrNotDurable(t *testing.T) {
	for _, e := range []engine{modernc, ncruces} {
		for name, replace := range map[string]func(path string) error{
			"moved":   func(path string) error { return os.Rename(path, path+".old") },
			"removed": os.Remove,
			"replaced": func(path string) error {
				return errors.Join(os.Rename(path, path+".old"), os.WriteFile(path, nil, 0o600))
			},
		} {
			t.Run(e.Name+", "+name, func(t *testing.T) {
				driver, dsn := e.store(t)
				in, db := e.reopen(t, driver, dsn)
				put(t, in, delivery(""))
				tx := begin(t, db)
				u, err := url.Parse(dsn)
				must(t, err)
				path, _, _ := strings.Cut(u.Opaque+u.Path, "?")
				must(t, replace(path))
				stored := in.PutTx(t.Context(), tx, delivery(""))
				wantNil(t, tx.Rollback())
				for what, err := range map[string]error{
					"Put": in.Put(t.Context(), delivery("")), "Ping": in.Ping(t.Context()), "PutTx": stored,
				} {
					if !errors.Is(err, sqlinbox.ErrNotDurable) {
						t.Errorf("%s returned %v, want ErrNotDurable", what, err)
					}
				}
			})
		}
	}
}

// A program that only writes by Write has no other connection whose file is known.
func TestAFileThatIsReplacedAfterTheFirstWriteTakesNoSecond(t *testing.T) {
	for _, e := range []engine{modernc, ncruces} {
		t.Run(e.Name, func(t *testing.T) {
			driver, dsn := e.store(t)
			e.reopen(t, driver, dsn)
			db := openDB(t, driver, dsn)
			run(t, db, "CREATE TABLE effects (uid TEXT)")
			in := sqlinbox.New(db, e.Dialect)
			if err := in.Write(t.Context(), insertEffect); err != nil {
				t.Fatal(err)
			}
			u, err := url.Parse(dsn)
			if err != nil {
				t.Fatal(err)
			}
			path, _, _ := strings.Cut(u.Opaque+u.Path, "?")
			if err := os.Rename(path, path+".old"); err != nil {
				t.Fatal(err)
			}
			if err := in.Write(t.Context(), insertEffect); !errors.Is(err, sqlinbox.ErrNotDurable) {
				t.Errorf("Write returned %v, want ErrNotDurable", err)
			}
		})
	}
}
