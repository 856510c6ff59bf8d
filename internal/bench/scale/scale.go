// Package scale measures claim and settlement in tables of few and of many rows,
// and the memory of a process that claims.
package scale

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/schema"
	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// fewRows is the size of the tables that large ones are compared with.
	fewRows = 1000
	// claimsInPass is how often each table is claimed from in a pass.
	claimsInPass = 10
)

// A table has a shape and a size, and the times of claims with their settlement.
type table struct {
	*env.Store
	backend env.Backend
	shape   schema.Shape
	rows    int
	at      string
	took    []float64 // µs
	last    int64     // id of the delivery that was claimed last
	memory  memory
}

// Run is the command "scale".
func Run(ctx context.Context, args []string) error {
	flags := env.NewFlags("scale", 50, "20000 rows and 10 passes")
	rows := flags.Int("rows", 1_000_000, "rows of a large table")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.Short {
		*rows, flags.Count = 20_000, 10
	}
	if *rows < fewRows || flags.Count > 90 {
		return errors.New("-rows must be at least 1000 and -count at most 90")
	}
	return env.Report(ctx, flags, fmt.Sprintf("%d passes of %d claims in each table", flags.Count, claimsInPass), func(e *env.Env) (all []*table, err error) {
		for _, b := range env.Databases {
			if !e.Has(b) {
				continue
			}
			tables, err := measure(ctx, e, b, *rows, flags.Count)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", b, err)
			}
			all = append(all, tables...)
		}
		return all, nil
	}, printTables)
}

// shapes are those of the tables, each of which is small and large.
var shapes = []schema.Shape{schema.Finished, schema.OneKey, schema.TenToKey}

// measure measures one database. All its tables exist at once and take turns.
func measure(ctx context.Context, e *env.Env, b env.Backend, rows, passes int) (tables []*table, err error) {
	for _, shape := range shapes {
		for _, n := range []int{fewRows, rows} {
			t, remove, failed := openTable(ctx, e, b, shape, n)
			if failed != nil {
				return nil, failed
			}
			defer func() { err = errors.Join(err, t.Close(), remove()) }()
			tables = append(tables, t)
		}
	}
	err = env.Rounds(passes, len(tables), len(tables), func(i int) error {
		if err := tables[i].claim(ctx, claimsInPass); err != nil {
			return fmt.Errorf("%s, %d rows: %w", tables[i].shape.Name, tables[i].rows, err)
		}
		return nil
	})
	for _, t := range tables {
		if t.shape == schema.TenToKey && err == nil {
			t.memory, err = t.measureMemory(ctx)
		}
	}
	return tables, err
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

func printTables(w io.Writer, all []*table) {
	for tables := range slices.Chunk(all, 2*len(shapes)) {
		b := string(tables[0].backend)
		env.Head(w, "Claim and settle, "+b, "rows:", "", "median µs:", "lower quartile:", "p99:", "x the time at 1000:", "by lower quartiles:", "wanted:", "")
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
		env.Head(w, "Memory of a worker's process, "+b, "waiting:", "heap in use, KiB:", "resident, KiB:")
		for _, t := range tables {
			if t.shape == schema.TenToKey {
				fmt.Fprintf(w, "| %d | %d | %d |\n", t.rows, t.memory.Heap>>10, t.memory.Process>>10)
			}
		}
		fmt.Fprintln(w)
	}
}

// A memory is what a process uses that claims from a table.
type memory struct {
	Heap    uint64 // in use, after a collection
	Process uint64 // resident; zero if the system does not say
}

// measureMemory measures a process that has done nothing else.
func (t *table) measureMemory(ctx context.Context) (m memory, err error) {
	err = env.Result(env.Self(ctx, "scale-memory", order{t.backend, t.at}), &m)
	return m, err
}

// An order is the task of the process whose memory is measured: it claims and
// settles some deliveries of a store.
type order struct {
	Backend env.Backend
	At      string
}

// Commands has that process.
var Commands = env.Commands{"scale-memory": env.Task(func(ctx context.Context, o order) (any, error) {
	store, err := o.Backend.Open(ctx, o.At)
	if err != nil {
		return nil, err
	}
	var stats runtime.MemStats
	err = (&table{Store: store}).claim(ctx, 50)
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return memory{stats.HeapInuse, env.ResidentMemory()}, errors.Join(err, store.Close())
})}
