package durable

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/compare"
	"github.com/hookhouse/hookhouse/internal/bench/env"
)

// A command is what the command line asks for.
type command struct {
	count    int
	time     time.Duration
	senders  []int
	only     string
	others   float64
	profiles string
}

// Run is the command "durable".
func Run(ctx context.Context, args []string) error {
	var c command
	flags := env.NewFlags("durable", 6, "one pass of 200ms")
	flags.DurationVar(&c.time, "benchtime", 1200*time.Millisecond, "time for each implementation and number of senders in one pass")
	flags.StringVar(&c.only, "only", "", "implementations whose name contains one of these, separated by commas")
	senders := flags.String("senders", "1,8,64,256", "numbers of senders, separated by commas")
	lone := flags.Bool("lone", false, "one sender at a time: the inbox beside INSERTs into the same tables")
	filled := flags.Bool("filled", false, "Puts on a store that holds 300000 deliveries, and for 12s, beside an older commit: see -base")
	base := flags.String("base", "", "commit to compare with, for -filled")
	flags.Float64Var(&c.others, "others", 0, "repeat a run, up to 5 times, in which other programs used more processors than this; 0: never")
	flags.StringVar(&c.profiles, "profiles", "", "folder for profiles of each server's process")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *filled {
		return compare.Filled(ctx, flags, *base, c.only)
	}
	if *lone {
		*senders, c.only = "1", "hookhouse,INSERTs,one statement"
	}
	if flags.Short {
		flags.Count, c.time = 1, 200*time.Millisecond
	}
	c.count = flags.Count
	var err error
	if c.senders, err = env.List(*senders, number); err != nil {
		return err
	}
	return env.Report(ctx, flags, fmt.Sprintf("%s, %d passes of %v", env.Hashing(), c.count, c.time),
		func(e *env.Env) ([]*row, error) { return c.measure(ctx, e) }, c.print)
}

// number parses a number of senders.
func number(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err == nil && n < 1 {
		err = fmt.Errorf("%d is not a number of senders", n)
	}
	return n, err
}

// A row is an implementation with a number of senders, and the figures of its
// runs.
type row struct {
	impl
	senders int
	rate    []float64 // per second
	wall    []float64 // s for each push
	p50     []float64 // ms
	p99     []float64 // ms
	// Processor time for each push, in µs: of the server, of PostgreSQL and of both.
	server, database, used []float64
	others                 []float64 // processors that other programs used
}

func (r *row) add(g result) {
	r.rate, r.wall = append(r.rate, g.Rate), append(r.wall, 1/g.Rate)
	r.p50, r.p99 = append(r.p50, env.Millis(g.P50)), append(r.p99, env.Millis(g.P99))
	r.server, r.database = append(r.server, env.Micros(g.server)), append(r.database, env.Micros(g.database))
	r.used, r.others = append(r.used, env.Micros(g.server+g.database)), append(r.others, g.others)
}

// measure runs all implementations in each pass.
func (c command) measure(ctx context.Context, e *env.Env) ([]*row, error) {
	var rows []*row
	for _, n := range c.senders {
		for _, m := range impls {
			if e.Has(m.backend) && env.Named(m.name, c.only) {
				rows = append(rows, &row{impl: m, senders: n})
			}
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("no name contains %q", c.only)
	}
	return rows, env.Rounds(c.count, len(rows), len(rows)/len(c.senders), func(i int) error {
		r := rows[i]
		got, err := env.Quiet(c.others, func() (result, float64, error) {
			got, err := r.run(ctx, e, r.senders, c.time, c.profiles)
			return got, got.others, err
		})
		if err != nil {
			return fmt.Errorf("%s, %d senders: %w", r.name, r.senders, err)
		}
		r.add(got)
		return nil
	})
}

// findRow returns the row of that name and number of senders, or nil.
func findRow(rows []*row, name string, senders int) *row {
	return env.Find(rows, func(r *row) bool { return r.name == name && r.senders == senders })
}

// print prints a table of each number of senders, and the aims.
func (c command) print(w io.Writer, rows []*row) {
	for _, n := range c.senders {
		printRows(w, n, rows)
	}
	env.PrintAims(w, "Aims of durable answers", aimsOf(rows))
}

func printRows(w io.Writer, senders int, rows []*row) {
	env.Head(w, fmt.Sprintf("Acknowledgements, pushes of 8 KB, senders: %d", senders),
		"", "", "in", "acks/s:", "best:", "spread:", "p50 ms:", "p99 ms:", "server CPU µs:", "database CPU µs:", "others' CPU:")
	for _, r := range rows {
		if r.senders != senders {
			continue
		}
		database := ""
		if r.backend.Served() {
			database = fmt.Sprintf("%.0f", env.Median(r.database))
		}
		fmt.Fprintf(w, "| %s | %s | %s | %.0f | %.0f | %.0f%% | %.2f | %.2f | %.0f | %s | %.2f |\n", r.name, r.kind, r.backend,
			env.Median(r.rate), env.Quantile(r.rate, 1), env.Spread(r.rate), env.Median(r.p50), env.Median(r.p99), env.Median(r.server), database, env.Median(r.others))
	}
	fmt.Fprintln(w)
}
