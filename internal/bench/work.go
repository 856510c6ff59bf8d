package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/pace"
)

// workerCounts are how many work at once.
var workerCounts = []int{8, 64}

// A labourer is one way to work off what is stored: claim, call back, settle.
type labourer struct {
	name string
	kind kind
	in   place
	// fill makes a store with n pushes of 8 KB in an empty place.
	fill func(ctx context.Context, at string, n int) (*stored, error)
}

// A stored is a store that waits to be worked off, once.
type stored struct {
	// run works off n, so many at once, with a callback that does nothing.
	run func(ctx context.Context, n, workers int) error
	// left counts what is not settled.
	left  func(ctx context.Context) (int, error)
	close func() error
}

var labourers = []labourer{
	{"goqite Receive, Delete", peer, inSQLite, fillGoqite},
	{"hookhouse Worker", ours, inSQLite, fillOursSQLite},
	{"River Client", peer, inPostgres, fillRiver},
	{"hookhouse Worker", ours, inPostgres, fillOursPostgres},
}

// A workRow is a labourer with so many at once, and what each pass gave.
type workRow struct {
	labourer
	workers int
	rate    []float64 // per second
	cpu     []float64 // µs of this process for each
	other   []float64 // of PostgreSQL's
}

// work measures how fast stored pushes are worked off.
func work(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("work", flag.ExitOnError)
	count := flags.Int("count", 5, "passes over everything")
	jobs := flags.Int("jobs", 5000, "pushes to work off in each run")
	short := flags.Bool("short", false, "one pass of 300 pushes, for a quick look")
	dir := flags.String("dir", "", "folder for the stores (default the system's temporary one)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *short {
		*count, *jobs = 1, 300
	}
	s, err := newSite(ctx, *dir)
	if err != nil {
		return err
	}
	defer s.close()
	fmt.Printf("%s, %d passes of %d pushes\n\n", machine(), *count, *jobs)
	rows, err := measureWork(ctx, s, *count, *jobs)
	if err != nil {
		return err
	}
	printWork(os.Stdout, rows)
	return nil
}

func measureWork(ctx context.Context, s *site, count, jobs int) ([]*workRow, error) {
	var rows []*workRow
	for _, workers := range workerCounts {
		for _, l := range labourers {
			if s.has(l.in) {
				rows = append(rows, &workRow{labourer: l, workers: workers})
			}
		}
	}
	for pass := range count {
		for i := range rows {
			row := rows[(i+pass)%len(rows)]
			if err := row.measure(ctx, s, jobs); err != nil {
				return nil, fmt.Errorf("%s, %s, %d at once: %w", row.name, row.in, row.workers, err)
			}
		}
	}
	return rows, nil
}

// measure fills a store and works it off.
func (r *workRow) measure(ctx context.Context, s *site, jobs int) (err error) {
	at, remove, err := s.make(ctx, r.in)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	full, err := r.fill(ctx, at, jobs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, full.close()) }()
	runtime.GC()
	start, cpu, other := time.Now(), pace.ProcessTime(), s.used()
	if err := full.run(ctx, jobs, r.workers); err != nil {
		return err
	}
	took, cpu, other := time.Since(start), pace.ProcessTime()-cpu, s.used()-other
	left, err := full.left(ctx)
	if err == nil && left > 0 {
		err = fmt.Errorf("%d of %d are not settled", left, jobs)
	}
	n := float64(jobs)
	r.rate = append(r.rate, n/took.Seconds())
	r.cpu = append(r.cpu, float64(cpu)/1e3/n)
	r.other = append(r.other, float64(other)/1e3/n)
	return err
}

func printWork(w io.Writer, rows []*workRow) {
	fmt.Fprintln(w, "### Worked off: claim, a callback that does nothing, settle")
	fmt.Fprintln(w)
	fmt.Fprintln(w, "| | | in | at once | deliveries/s | most | spread | CPU µs | database CPU µs | x the peer |")
	fmt.Fprintln(w, "|---|---|---|--:|--:|--:|--:|--:|--:|--:|")
	for _, r := range rows {
		database, times := "", ""
		if r.in == inPostgres {
			database = fmt.Sprintf("%.0f", median(r.other))
		}
		for _, p := range rows {
			if p.kind == peer && r.kind == ours && p.in == r.in && p.workers == r.workers {
				times = fmt.Sprintf("%.2f", ratio(r.rate, p.rate))
			}
		}
		fmt.Fprintf(w, "| %s | %s | %s | %d | %.0f | %.0f | %.0f%% | %.0f | %s | %s |\n", r.name, r.kind, r.in, r.workers,
			median(r.rate), quantile(r.rate, 1), 100*spread(r.rate), median(r.cpu), database, times)
	}
	fmt.Fprintln(w)
}
