package main

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestEveryLabourerSettlesAll(t *testing.T) {
	for _, l := range labourers {
		if !theSite.has(l.in) {
			continue
		}
		t.Run(fmt.Sprint(l.name, ", ", l.in), func(t *testing.T) {
			r := &workRow{labourer: l, workers: 4}
			if err := r.measure(t.Context(), theSite, 30); err != nil {
				t.Fatal(err) // also where something is left unsettled
			}
			if len(r.rate) != 1 || r.rate[0] <= 0 {
				t.Errorf("got %v", r.rate)
			}
		})
	}
}

// Every shape has the rows that its name says, and can be worked off in the
// true schema.
func TestFilledTablesAreWhatTheirNamesSay(t *testing.T) {
	const n = fewRows
	want := map[string]string{
		shapeFinished: "done 1000, waiting 1000",
		shapeHot:      "blocked 999, waiting 1",
		shapeKeys:     "blocked 900, waiting 100",
	}
	for _, e := range engines {
		if !theSite.has(e.in) {
			continue
		}
		for _, sh := range shapes {
			t.Run(fmt.Sprint(sh.name, ", ", e.in), func(t *testing.T) {
				table, remove, err := openTable(t.Context(), theSite, e, sh, n)
				if err != nil {
					t.Fatal(err)
				}
				defer func() {
					if err := errors.Join(closeAll(table.inbox, table.db)(), remove()); err != nil {
						t.Error(err)
					}
				}()
				if got := states(t, table.db); got != want[sh.name] {
					t.Errorf("got %s, want %s", got, want[sh.name])
				}
				before := settled(t, table.db)
				if err := table.work(t.Context(), 20); err != nil {
					t.Fatal(err)
				}
				if got := settled(t, table.db) - before; got != 20 || len(table.took) != 20 {
					t.Errorf("%d are settled and %d timed, want 20", got, len(table.took))
				}
			})
		}
	}
}

// A process that works on a table tells of its memory.
func TestAProcessTellsItsMemory(t *testing.T) {
	table, remove, err := openTable(t.Context(), theSite, engines[0], shapes[2], fewRows)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = errors.Join(closeAll(table.inbox, table.db)(), remove()) }()
	m, err := holdIn(t.Context(), table)
	if err != nil {
		t.Fatal(err)
	}
	if m.Rows != fewRows || m.Heap < 1<<16 || m.Heap > 1<<28 {
		t.Errorf("got %+v", m)
	}
}

func states(t *testing.T, db *sql.DB) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT state, count(*) FROM hookhouse_deliveries GROUP BY state ORDER BY state")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var state string
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprint(state, " ", n))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, ", ")
}

func settled(t *testing.T, db *sql.DB) int {
	t.Helper()
	n, err := countRows(db, "hookhouse_deliveries WHERE state = 'done'")(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}
