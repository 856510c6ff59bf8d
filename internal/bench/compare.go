package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/pace"
)

// A compareRun is what the command line of "compare" asks for.
type compareRun struct {
	base  string
	head  string
	count int
	share float64
	only  string
	trip  time.Duration
	dir   string
}

// compare measures what two commits do, each in processes of its own, which take
// turns.
func compare(ctx context.Context, args []string) error {
	var o compareRun
	flags := flag.NewFlagSet("compare", flag.ExitOnError)
	flags.StringVar(&o.base, "base", "", "commit to compare with: before")
	flags.StringVar(&o.head, "head", "", "commit that is compared: after (default the files as they are)")
	flags.IntVar(&o.count, "count", 3, "passes over everything")
	flags.Float64Var(&o.share, "share", 1, "share of each metric's operations")
	short := flags.Bool("short", false, "one pass of a twentieth, for a quick look")
	flags.StringVar(&o.only, "only", "", "metrics whose name or database has one of these in it, separated by commas")
	flags.DurationVar(&o.trip, "rtt", 0, "round trip to PostgreSQL; then without SQLite (default none is added)")
	flags.StringVar(&o.dir, "dir", "", "folder for the stores (default the system's temporary one)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *short {
		o.count, o.share = 1, 0.05
	}
	if o.base == "" || o.count < 1 || o.share <= 0 || o.share > 1 {
		return errors.New("compare needs -base, -count of at least 1 and -share from 0 to 1")
	}
	s, err := newSite(ctx, o.dir)
	if err != nil {
		return err
	}
	defer s.close()
	before, err := buildPacer(ctx, s.folder, "before", o.base)
	if err != nil {
		return err
	}
	after, err := buildPacer(ctx, s.folder, "after", o.head)
	if err != nil {
		return err
	}
	fmt.Printf("%s, %d passes, %.2g of all operations, round trip %v\nbefore: %s\nafter:  %s\n\n",
		machine(), o.count, o.share, o.trip, before.version, after.version)
	rows, err := o.measure(ctx, s, [2]pacer{before, after})
	if err != nil {
		return err
	}
	printCompared(os.Stdout, rows)
	return nil
}

// A comparedRow is a metric on one database and what its slices gave: the n-th
// of before and the n-th of after stand next to each other in time.
type comparedRow struct {
	pace.Metric
	in     place
	slices [2][]pacedSlice // before, after
}

// A pacedSlice is a slice with the processor time of the database's own process.
type pacedSlice struct {
	pace.Slice
	database time.Duration
}

// measure goes through all metrics in each pass.
func (o compareRun) measure(ctx context.Context, s *site, sides [2]pacer) (rows []*comparedRow, err error) {
	for _, in := range []place{inSQLite, inPostgres} {
		for _, m := range pace.Metrics {
			if s.has(in) && (in == inPostgres || o.trip == 0) && named(m.Name+" "+string(in), o.only) {
				rows = append(rows, &comparedRow{Metric: m, in: in})
			}
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("nothing is named like %q", o.only)
	}
	through := func(dsn string) string { return dsn }
	if o.trip > 0 {
		far, done, failed := s.far(o.trip)
		if failed != nil {
			return nil, failed
		}
		defer func() { err = errors.Join(err, done()) }()
		through = far
	}
	for pass := range o.count {
		for _, row := range rows {
			if err := row.measure(ctx, s, sides, through, o.share, pass); err != nil {
				return nil, fmt.Errorf("%s, %s: %w", row.Name, row.in, err)
			}
		}
	}
	return rows, nil
}

// measure starts both sides on stores of their own and lets them take turns.
// Which one begins changes from slice to slice.
func (r *comparedRow) measure(ctx context.Context, s *site, sides [2]pacer, through func(dsn string) string, share float64, pass int) (err error) {
	var running [2]*pacing
	for i := range sides {
		at, remove, failed := s.make(ctx, r.in)
		if failed != nil {
			return failed
		}
		defer func() { err = errors.Join(err, remove()) }()
		dsn := sqliteDSN(at)
		if r.in == inPostgres {
			dsn = through(at)
		}
		if running[i], failed = sides[i].start(ctx, r.Name, r.in, dsn, share); failed != nil {
			return failed
		}
		defer running[i].kill()
	}
	for turn := pass; ; turn++ {
		var pair [2]pacedSlice
		for i := range 2 {
			side := (turn + i) % 2
			database := s.used()
			if pair[side].Slice, err = running[side].slice(); err != nil {
				return err
			}
			pair[side].database = s.used() - database
		}
		if pair[0].Done == 0 || pair[1].Done == 0 {
			return errors.Join(running[0].end(), running[1].end())
		}
		for side := range pair {
			r.slices[side] = append(r.slices[side], pair[side])
		}
	}
}
