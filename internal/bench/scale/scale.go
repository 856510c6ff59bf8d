// Package scale measures claim and settlement in tables of few and of many rows,
// and the memory of a process that claims.
package scale

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/schema"
	"github.com/hookhouse/hookhouse/webhook"
)

// fewRows is the size of the tables that large ones are compared with.
const fewRows = 1000

// A table has a shape and a size, and the times of claims with their settlement.
type table struct {
	*env.Store
	backend env.Backend
	shape   schema.Shape
	rows    int
	at      string
	took    []float64 // µs
	last    int64     // id of the delivery that was claimed last
}

// Run is the command "scale".
func Run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("scale", flag.ExitOnError)
	rows := flags.Int("rows", 1_000_000, "rows of a large table")
	claims := flags.Int("claims", 500, "claims in each table, at most 900")
	short := flags.Bool("short", false, "20000 rows and 100 claims, for a quick look")
	dir := flags.String("dir", "", "folder for the stores (default the system's temporary one)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *short {
		*rows, *claims = 20_000, 100
	}
	if *rows < fewRows || *claims < 1 || *claims > 900 {
		return errors.New("-rows must be at least 1000 and -claims from 1 to 900")
	}
	e, err := env.New(ctx, *dir)
	if err != nil {
		return err
	}
	defer e.Close()
	fmt.Printf("%s, %d claims in each table\n\n", env.Machine(), *claims)
	for _, b := range env.Databases {
		if !e.Has(b) {
			continue
		}
		if err := measure(ctx, e, b, *rows, *claims); err != nil {
			return fmt.Errorf("%s: %w", b, err)
		}
	}
	return nil
}

// measure measures one database and prints the result. All tables exist at once
// and take turns.
func measure(ctx context.Context, e *env.Env, b env.Backend, rows, claims int) (err error) {
	var tables []*table
	for _, shape := range []schema.Shape{schema.Finished, schema.OneKey, schema.TenToKey} {
		for _, n := range []int{fewRows, rows} {
			t, remove, failed := openTable(ctx, e, b, shape, n)
			if failed != nil {
				return failed
			}
			defer func() { err = errors.Join(err, t.Close(), remove()) }()
			tables = append(tables, t)
		}
	}
	const atOnce = 10
	err = env.Rounds((claims+atOnce-1)/atOnce, len(tables), len(tables), func(i int) error {
		t := tables[i]
		if err := t.claim(ctx, min(atOnce, claims-len(t.took))); err != nil {
			return fmt.Errorf("%s, %d rows: %w", t.shape.Name, t.rows, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	printTables(os.Stdout, tables)
	env.Head(os.Stdout, "Memory of a worker's process, "+string(b), "waiting:", "heap in use, KiB:", "resident, KiB:")
	for _, t := range tables[len(tables)-2:] {
		m, err := t.memory(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("| %d | %d | %d |\n", t.rows, m.Heap>>10, m.Process>>10)
	}
	fmt.Println()
	return nil
}

func openTable(ctx context.Context, e *env.Env, b env.Backend, shape schema.Shape, n int) (*table, func() error, error) {
	at, remove, err := e.Make(ctx, b)
	if err != nil {
		return nil, nil, err
	}
	t := &table{backend: b, shape: shape, rows: n, at: at}
	if t.Store, err = b.Open(ctx, at); err == nil {
		if err = shape.Fill(ctx, t.DB, b, n); err != nil {
			err = errors.Join(err, t.Close())
		}
	}
	if err != nil {
		return nil, nil, errors.Join(err, remove())
	}
	return t, remove, nil
}

// claim claims and settles n deliveries, one after the other. Those of one key
// must come in order.
func (t *table) claim(ctx context.Context, n int) error {
	for range n {
		start := time.Now()
		claims, err := t.Claim(ctx, webhook.ClaimOptions{N: 1, Types: []string{schema.FillType}})
		if err != nil {
			return err
		}
		if len(claims) != 1 {
			return fmt.Errorf("%d claims", len(claims))
		}
		if _, err := t.Settle(ctx, claims[0], webhook.Outcome{State: webhook.Done}); err != nil {
			return err
		}
		t.took = append(t.took, env.Micros(time.Since(start)))
		id, err := strconv.ParseInt(claims[0].Delivery.ID, 10, 64)
		if err == nil && t.shape == schema.OneKey && id != t.last+1 {
			err = fmt.Errorf("claimed %d after %d", id, t.last)
		}
		if err != nil {
			return err
		}
		t.last = id
	}
	return nil
}

func printTables(w io.Writer, tables []*table) {
	env.Head(w, "Claim and settle, "+string(tables[0].backend), "rows:", "", "median µs:", "lower quartile:", "p99:", "x the time at 1000:", "by lower quartiles:", "wanted:", "")
	for i, t := range tables {
		times := " | | |"
		if i%2 == 1 { // after the small one of its shape
			few := tables[i-1].took
			a := env.Aim{AtMost: true, Want: 1.5, Got: env.Median(t.took) / env.Median(few)}
			times = fmt.Sprintf("%.2f | %.2f | %s | %s", a.Got, env.Quantile(t.took, 0.25)/env.Quantile(few, 0.25), a.Wanted(), a.Verdict())
		}
		fmt.Fprintf(w, "| %d | %s | %.0f | %.0f | %.0f | %s |\n", t.rows, t.shape.Name, env.Median(t.took), env.Quantile(t.took, 0.25), env.Quantile(t.took, 0.99), times)
	}
	fmt.Fprintln(w)
}

// A memory is what a process uses that claims from a table.
type memory struct {
	Heap    uint64 // in use, after a collection
	Process uint64 // resident; zero if the system does not say
}

// memory measures a process that has done nothing else.
func (t *table) memory(ctx context.Context) (m memory, err error) {
	err = env.Result(env.Self(ctx, "scale-memory", string(t.backend), t.at), &m)
	return m, err
}

// Commands has the process whose memory is measured: it claims and settles some
// deliveries.
var Commands = env.Commands{"scale-memory": func(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("scale-memory needs a database and a store")
	}
	store, err := env.Backend(args[0]).Open(ctx, args[1])
	if err != nil {
		return err
	}
	t := &table{Store: store}
	if err := t.claim(ctx, 50); err != nil {
		return errors.Join(err, t.Close())
	}
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return errors.Join(json.NewEncoder(os.Stdout).Encode(memory{stats.HeapInuse, env.ResidentMemory()}), t.Close())
}}
