// Package compare measures what two commits do, each in processes of its own that
// take turns.
package compare

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/pace"
)

// A comparison is what the command line asks for.
type comparison struct {
	base    string
	head    string
	metrics []pace.Metric
	count   int
	share   float64
	only    string
	trip    time.Duration
}

// Run is the command "compare".
func Run(ctx context.Context, args []string) error {
	c := comparison{metrics: pace.Metrics}
	flags := env.NewFlags("compare", 3, "one pass with a twentieth of the operations")
	flags.StringVar(&c.base, "base", "", "commit to compare with: before")
	flags.StringVar(&c.head, "head", "", "commit that is compared: after (default the files as they are)")
	flags.Float64Var(&c.share, "share", 1, "share of each metric's operations")
	flags.StringVar(&c.only, "only", "", "metrics whose name or database contains one of these, separated by commas")
	flags.DurationVar(&c.trip, "rtt", 0, "round trip to PostgreSQL; then without SQLite (default none is added)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.Short {
		flags.Count, c.share = 1, 0.05
	}
	return c.run(ctx, flags)
}

// Filled compares Puts on a store that holds many deliveries, and for a longer
// time, for the command "durable". Everything runs once, in many slices. A short
// run has a hundredth of everything.
func Filled(ctx context.Context, flags *env.Flags, base, only string) error {
	c := comparison{base: base, metrics: pace.Filled, share: 1, only: only}
	if flags.Count = 1; flags.Short {
		c.share = 0.01
	}
	return c.run(ctx, flags)
}

func (c comparison) run(ctx context.Context, flags *env.Flags) error {
	if c.count = flags.Count; c.base == "" || c.share <= 0 || c.share > 1 {
		return errors.New("a comparison needs -base, and -share from 0 to 1")
	}
	return env.Report(ctx, flags, fmt.Sprintf("%d passes, %.2g of everything, round trip %v", c.count, c.share, c.trip), func(e *env.Env) ([]*row, error) {
		before, err := buildPacer(ctx, e.Folder, "before", c.base)
		if err != nil {
			return nil, err
		}
		after, err := buildPacer(ctx, e.Folder, "after", c.head)
		if err != nil {
			return nil, err
		}
		fmt.Printf("before: %s\nafter:  %s\n\n", before.version, after.version)
		return c.measure(ctx, e, [2]pacer{before, after})
	}, printRows)
}

// A row is a metric on one database and the results of its slices. The slices of
// the same index ran one directly after the other.
type row struct {
	pace.Metric
	backend env.Backend
	slices  [2][]slice // before, after
}

// A slice is one of package pace, with the processor time of the database's own
// process.
type slice struct {
	pace.Slice
	database time.Duration
}

// measure runs all metrics in each pass.
func (c comparison) measure(ctx context.Context, e *env.Env, sides [2]pacer) (rows []*row, err error) {
	for _, b := range env.Databases {
		for _, m := range c.metrics {
			if e.Has(b) && (b == env.PostgreSQL || c.trip == 0) && env.Named(m.Name+" "+string(b), c.only) {
				rows = append(rows, &row{Metric: m, backend: b})
			}
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("no name contains %q", c.only)
	}
	through := func(dsn string) string { return dsn }
	if c.trip > 0 {
		far, stop, failed := e.Far(c.trip)
		if failed != nil {
			return nil, failed
		}
		defer func() { err = errors.Join(err, stop()) }()
		through = far
	}
	for pass := range c.count {
		for _, r := range rows {
			if err := r.measure(ctx, e, sides, through, c.share, pass); err != nil {
				return nil, fmt.Errorf("%s, %s: %w", r.Name, r.backend, err)
			}
		}
	}
	return rows, nil
}

// measure starts both sides on stores of their own and lets them take turns.
// Which one begins changes from slice to slice.
func (r *row) measure(ctx context.Context, e *env.Env, sides [2]pacer, through func(dsn string) string, share float64, pass int) (err error) {
	var running [2]*env.Child
	for i := range sides {
		at, remove, failed := e.Make(ctx, r.backend)
		if failed != nil {
			return failed
		}
		defer func() { err = errors.Join(err, remove()) }()
		dsn := r.backend.DSN(at)
		if r.backend == env.PostgreSQL {
			dsn = through(dsn)
		}
		if running[i], failed = sides[i].start(ctx, r.Name, r.backend, dsn, share); failed != nil {
			return failed
		}
		defer running[i].Kill()
	}
	for turn := pass; ; turn++ {
		var pair [2]slice
		for i := range pair {
			side := (turn + i) % 2
			meter := e.Meter()
			if err := running[side].Ask(&pair[side].Slice); err != nil {
				return errors.Join(err, running[side].End(nil))
			}
			pair[side].database = meter.Database()
		}
		if pair[0].Done == 0 || pair[1].Done == 0 {
			return errors.Join(running[0].End(nil), running[1].End(nil))
		}
		for side := range pair {
			r.slices[side] = append(r.slices[side], pair[side])
		}
	}
}
