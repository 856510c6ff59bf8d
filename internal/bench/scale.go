package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/pace"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// fewRows is what large tables are compared with.
const fewRows = 1000

// An engine is a database that the inbox is measured on.
type engine struct {
	in place
	pace.Engine
}

var engines = []engine{
	{inSQLite, pace.SQLite},
	{inPostgres, pace.PostgreSQL},
}

// dsn opens what a site made.
func (e engine) dsn(at string) string {
	if e.in == inSQLite {
		return sqliteDSN(at)
	}
	return at
}

// A fullTable is a table of some shape and size, with the time of each claim
// and its settlement.
type fullTable struct {
	engine
	shape shape
	rows  int
	at    string
	db    *sql.DB
	inbox *sqlinbox.Inbox
	took  []time.Duration
	last  int64 // Seq of the claim before, where order is known
}

// scale measures claim and settlement in tables small and large, and the memory
// of a process that works on them.
func scale(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("scale", flag.ExitOnError)
	rows := flags.Int("rows", 1_000_000, "rows of a large table")
	ops := flags.Int("ops", 500, "claims in each table, at most 900")
	short := flags.Bool("short", false, "20000 rows and 100 claims, for a quick look")
	dir := flags.String("dir", "", "folder for the stores (default the system's temporary one)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *short {
		*rows, *ops = 20_000, 100
	}
	if *rows < fewRows || *ops < 1 || *ops > 900 {
		return errors.New("-rows is at least 1000 and -ops from 1 to 900")
	}
	s, err := newSite(ctx, *dir)
	if err != nil {
		return err
	}
	defer s.close()
	fmt.Printf("%s, %d claims in each table\n\n", machine(), *ops)
	for _, e := range engines {
		if !s.has(e.in) {
			continue
		}
		if err := scaleOn(ctx, s, e, *rows, *ops); err != nil {
			return fmt.Errorf("%s: %w", e.in, err)
		}
	}
	return nil
}

// scaleOn measures and prints one engine. All its tables are there at once, and
// take turns.
func scaleOn(ctx context.Context, s *site, e engine, rows, ops int) (err error) {
	var tables []*fullTable
	for _, shape := range shapes {
		for _, n := range []int{fewRows, rows} {
			t, remove, failed := openTable(ctx, s, e, shape, n)
			if failed != nil {
				return failed
			}
			defer func() { err = errors.Join(err, closeAll(t.inbox, t.db)(), remove()) }()
			tables = append(tables, t)
		}
	}
	for done := 0; done < ops; done += 10 {
		for i := range tables {
			t := tables[(i+done/10)%len(tables)]
			if err := t.work(ctx, min(10, ops-done)); err != nil {
				return fmt.Errorf("%s, %d rows: %w", t.shape.name, t.rows, err)
			}
		}
	}
	printScale(os.Stdout, e, tables)
	var held []memory
	for _, t := range tables {
		if t.shape.name != shapeKeys {
			continue
		}
		m, err := holdIn(ctx, t)
		if err != nil {
			return err
		}
		held = append(held, m)
	}
	printMemory(os.Stdout, e, held)
	return nil
}

func openTable(ctx context.Context, s *site, e engine, sh shape, n int) (*fullTable, func() error, error) {
	at, remove, err := s.make(ctx, e.in)
	if err != nil {
		return nil, nil, err
	}
	t := &fullTable{engine: e, shape: sh, rows: n, at: at}
	if t.db, t.inbox, err = e.Open(ctx, e.dsn(at)); err == nil {
		if err = sh.fill(ctx, t.db, e.in, n); err != nil {
			err = errors.Join(fmt.Errorf("filling: %w", err), closeAll(t.inbox, t.db)())
		}
	}
	if err != nil {
		return nil, nil, errors.Join(err, remove())
	}
	return t, remove, nil
}

// work claims and settles n, one after the other.
func (t *fullTable) work(ctx context.Context, n int) error {
	for range n {
		start := time.Now()
		claims, err := t.inbox.Claim(ctx, webhook.ClaimOptions{N: 1, Types: []string{fillType}})
		if err != nil {
			return err
		}
		if len(claims) != 1 {
			return fmt.Errorf("%d claims", len(claims))
		}
		if _, err := t.inbox.Settle(ctx, claims[0], webhook.Outcome{State: webhook.Done}); err != nil {
			return err
		}
		t.took = append(t.took, time.Since(start))
		if err := t.inOrder(claims[0]); err != nil {
			return err
		}
	}
	return nil
}

// inOrder holds the inbox to the order in which one key is worked off.
func (t *fullTable) inOrder(c webhook.Claim) error {
	n, err := strconv.ParseInt(c.Delivery.ID, 10, 64)
	if err == nil && t.shape.name == shapeHot && n != t.last+1 {
		err = fmt.Errorf("claimed %d after %d", n, t.last)
	}
	t.last = n
	return err
}

func (t *fullTable) us(q float64) float64 {
	sorted := slices.Sorted(slices.Values(t.took))
	return float64(sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]) / 1e3
}

func printScale(w io.Writer, e engine, tables []*fullTable) {
	fmt.Fprintf(w, "### Claim and settle, %s\n\n", e.in)
	fmt.Fprintln(w, "| rows | | median µs | lower quartile | p99 | x the time at 1000 | by lower quartiles | wanted | |")
	fmt.Fprintln(w, "|--:|---|--:|--:|--:|--:|--:|--:|---|")
	for i, t := range tables {
		var times string
		if i%2 == 1 { // behind the small one of its shape
			a := keptAim{atMost: true, want: 1.5, got: t.us(0.5) / tables[i-1].us(0.5)}
			times = fmt.Sprintf("%.2f | %.2f | ≤ %.2f | %s", a.got, t.us(0.25)/tables[i-1].us(0.25), a.want, a.verdict())
		} else {
			times = " | | |"
		}
		fmt.Fprintf(w, "| %d | %s | %.0f | %.0f | %.0f | %s |\n", t.rows, t.shape.name, t.us(0.5), t.us(0.25), t.us(0.99), times)
	}
	fmt.Fprintln(w)
}

// A memory is what a process uses that works on a table.
type memory struct {
	Rows    int
	Heap    uint64 // in use, after a collection
	Process uint64 // resident; zero where the system does not tell
}

// holdIn measures in a process of its own, which has done nothing else.
func holdIn(ctx context.Context, t *fullTable) (memory, error) {
	out, err := again(ctx, "hold", string(t.in), t.at).Output()
	if err != nil {
		return memory{}, fmt.Errorf("hold: %w", err)
	}
	m := memory{Rows: t.rows}
	return m, json.Unmarshal(out, &m)
}

// hold works a little, as a worker does, and tells what memory that takes.
func hold(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("hold needs an engine and a place")
	}
	for _, e := range engines {
		if string(e.in) != args[0] {
			continue
		}
		db, in, err := e.Open(ctx, e.dsn(args[1]))
		if err != nil {
			return err
		}
		t := &fullTable{inbox: in}
		if err := t.work(ctx, 50); err != nil {
			return err
		}
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		err = json.NewEncoder(os.Stdout).Encode(struct{ Heap, Process uint64 }{stats.HeapInuse, residentMemory()})
		return errors.Join(err, closeAll(in, db)())
	}
	return fmt.Errorf("no engine %q", args[0])
}

func printMemory(w io.Writer, e engine, held []memory) {
	fmt.Fprintf(w, "### Memory of a worker's process, %s\n\n", e.in)
	fmt.Fprintln(w, "| waiting | heap in use, KiB | resident, KiB |")
	fmt.Fprintln(w, "|--:|--:|--:|")
	for _, m := range held {
		fmt.Fprintf(w, "| %d | %d | %d |\n", m.Rows, m.Heap>>10, m.Process>>10)
	}
	fmt.Fprintln(w)
}
