// Package drain measures how fast stored pushes are claimed, handled and settled.
package drain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/pace"
	"github.com/hookhouse/hookhouse/internal/bench/receive"
)

// concurrencies are how many pushes are handled at once.
var concurrencies = []int{8, 64}

// wanted is the aim on PostgreSQL: the rate as a multiple of River's.
const wanted = 1.5

// A row is an implementation with a concurrency, and the results of its runs.
type row struct {
	impl
	concurrency int
	rate        []float64 // per second
	cpu         []float64 // µs of this process for each push
	database    []float64 // µs of PostgreSQL for each push
}

// Run is the command "drain".
func Run(ctx context.Context, args []string) error {
	flags := env.NewFlags("drain", 5, "one pass of 300 pushes")
	pushes := flags.Int("pushes", 5000, "pushes that each run handles")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.Short {
		flags.Count, *pushes = 1, 300
	}
	return env.Report(ctx, flags, fmt.Sprintf("%d passes of %d pushes", flags.Count, *pushes),
		func(e *env.Env) ([]*row, error) { return measure(ctx, e, flags.Count, *pushes) }, printRows)
}

func measure(ctx context.Context, e *env.Env, count, pushes int) ([]*row, error) {
	var rows []*row
	for _, n := range concurrencies {
		for _, m := range impls {
			if e.Has(m.backend) {
				rows = append(rows, &row{impl: m, concurrency: n})
			}
		}
	}
	return rows, env.Rounds(count, len(rows), len(rows), func(i int) error {
		if err := rows[i].measure(ctx, e, pushes); err != nil {
			return fmt.Errorf("%s, %s, %d at once: %w", rows[i].name, rows[i].backend, rows[i].concurrency, err)
		}
		return nil
	})
}

// measure fills a store and handles all of it.
func (r *row) measure(ctx context.Context, e *env.Env, pushes int) (err error) {
	at, remove, err := e.Make(ctx, r.backend)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	filled, err := r.fill(ctx, at, pushes)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, filled.Close()) }()
	runtime.GC()
	start, cpu, meter := time.Now(), pace.ProcessTime(), e.Meter()
	if err := filled.Run(ctx, pushes, r.concurrency); err != nil {
		return err
	}
	took, cpu, database := time.Since(start), pace.ProcessTime()-cpu, meter.Database()
	left, err := filled.left(ctx)
	if err == nil && left > 0 {
		err = fmt.Errorf("%d of %d are not settled", left, pushes)
	}
	n := float64(pushes)
	r.rate = append(r.rate, n/took.Seconds())
	r.cpu = append(r.cpu, env.Micros(cpu)/n)
	r.database = append(r.database, env.Micros(database)/n)
	return err
}

// peer returns the row that ours is compared with, or nil.
func (r *row) peer(rows []*row) *row {
	return env.Find(rows, func(p *row) bool {
		return p.kind == receive.Peer && r.kind == receive.Ours && p.backend == r.backend && p.concurrency == r.concurrency
	})
}

// aim compares ours with the peer. CPU is that of both processes.
func (r *row) aim(peer *row) env.Aim {
	a := env.NewAim(fmt.Sprintf("%s, %d at once: deliveries/s, times %s", r.backend, r.concurrency, peer.name), false, wanted, env.Ratios(r.rate, peer.rate))
	if used := env.Median(r.cpu) + env.Median(r.database); used > 0 {
		a.CPU = (env.Median(peer.cpu) + env.Median(peer.database)) / used
	}
	return a
}

func printRows(w io.Writer, rows []*row) {
	env.Head(w, "Claim, a callback that does nothing, settle", "", "", "in", "at once:", "deliveries/s:", "best:", "spread:", "CPU µs:", "database CPU µs:", "x the peer:")
	var aims []env.Aim
	for _, r := range rows {
		database, times := "", ""
		if r.backend == env.PostgreSQL {
			database = fmt.Sprintf("%.0f", env.Median(r.database))
		}
		if p := r.peer(rows); p != nil {
			a := r.aim(p)
			times = fmt.Sprintf("%.2f", a.Got)
			if r.backend == env.PostgreSQL {
				aims = append(aims, a)
			}
		}
		fmt.Fprintf(w, "| %s | %s | %s | %d | %.0f | %.0f | %.0f%% | %.0f | %s | %s |\n", r.name, r.kind, r.backend, r.concurrency,
			env.Median(r.rate), env.Quantile(r.rate, 1), env.Spread(r.rate), env.Median(r.cpu), database, times)
	}
	fmt.Fprintln(w)
	env.PrintAims(w, "Aims of draining", aims)
}
