package fault_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/hookhouse/hookhouse/internal/dbtest/engine"
	"github.com/hookhouse/hookhouse/internal/dbtest/fault"
)

// openTable returns a database with an empty table, and its plan.
func openTable(t *testing.T, e engine.Engine) (*sql.DB, *fault.Plan) {
	t.Helper()
	store := e.NewStore(t)
	db, plan, err := fault.Open(store.Driver, store.DSN)
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Exec("CREATE TABLE kept (n INTEGER)"); err != nil {
		t.Fatal(err)
	}
	return db, plan
}

func TestEachKindBreaksAnOperation(t *testing.T) {
	onEach(t, func(t *testing.T, e engine.Engine) {
		for _, c := range []struct {
			kind     fault.Kind
			executed bool
			closed   bool  // the connection
			want     error // nil means any error
		}{
			{fault.Refuse, false, false, fault.ErrFault},
			{fault.LoseAnswer, true, false, fault.ErrFault},
			{fault.Drop, false, true, nil},
			{fault.DropAfter, true, true, fault.ErrFault},
			{fault.Delay, false, false, nil},
		} {
			for name, how := range map[string]func(ctx context.Context, c *sql.Conn) error{
				"a statement": func(ctx context.Context, c *sql.Conn) error {
					_, err := c.ExecContext(ctx, "INSERT INTO kept VALUES (1)")
					return err
				},
				"a query that writes": func(ctx context.Context, c *sql.Conn) error {
					rows, err := c.QueryContext(ctx, "INSERT INTO kept VALUES (1) RETURNING n")
					if err != nil {
						return err
					}
					return rows.Close()
				},
				"a prepared statement": func(ctx context.Context, c *sql.Conn) error {
					s, err := c.PrepareContext(context.Background(), "INSERT INTO kept VALUES (1)")
					if err != nil {
						return err
					}
					defer s.Close()
					_, err = s.ExecContext(ctx)
					return err
				},
			} {
				t.Run(name+" "+c.kind.String(), func(t *testing.T) {
					db, plan := openTable(t, e)
					conn, err := db.Conn(t.Context())
					must(t, err)
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					plan.Cancel = cancel
					plan.Break(1, c.kind)
					if err := how(ctx, conn); err == nil || c.want != nil && !errors.Is(err, c.want) {
						t.Errorf("returned %v, want %v", err, c.want)
					}
					if plan.Broke() == "" {
						t.Error("the plan says that nothing broke")
					}
					if _, err := conn.ExecContext(t.Context(), "SELECT 1"); (err != nil) != c.closed && c.kind != fault.Delay {
						t.Errorf("afterwards the connection returned %v; want it closed: %t", err, c.closed)
					}
					_ = conn.Close()
					var n int
					must(t, db.QueryRow("SELECT count(*) FROM kept").Scan(&n))
					if n != number(c.executed) {
						t.Errorf("%d rows, want %d", n, number(c.executed))
					}
				})
			}
		}
	})
}

func TestEachKindBreaksATransaction(t *testing.T) {
	onEach(t, func(t *testing.T, e engine.Engine) {
		for _, c := range []struct {
			name string
			at   int // 1 begins, 2 inserts, 3 commits
			kind fault.Kind
			want int // rows
		}{
			{"nothing breaks", 0, 0, 1},
			{"begin is refused", 1, fault.Refuse, 0},
			{"the answer to begin is lost", 1, fault.LoseAnswer, 0},
			{"the connection drops at the statement", 2, fault.Drop, 0},
			{"commit is refused", 3, fault.Refuse, 0},
			{"the connection drops before the commit", 3, fault.Drop, 0},
			{"the answer to commit is lost", 3, fault.LoseAnswer, 1},
			{"the connection drops after the commit", 3, fault.DropAfter, 1},
		} {
			t.Run(c.name, func(t *testing.T) {
				db, plan := openTable(t, e)
				plan.Break(c.at, c.kind)
				if err := insertInTx(db); (err != nil) != (c.at > 0) && c.kind != fault.Drop {
					t.Errorf("the transaction returned %v", err)
				}
				var n int
				must(t, db.QueryRow("SELECT count(*) FROM kept").Scan(&n))
				if n != c.want {
					t.Errorf("%d rows, want %d", n, c.want)
				}
				if err := insertInTx(db); err != nil {
					t.Errorf("the next transaction returned %v", err)
				}
			})
		}
	})
}

func insertInTx(db *sql.DB) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	if _, err := tx.Exec("INSERT INTO kept VALUES (1)"); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
