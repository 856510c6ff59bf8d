// Package inspect measures the inspector on a large table: pages of its list beside a bare
// SELECT of the same page, Puts while people watch, the weight of a page, and an inspector
// at which nobody looks.
package inspect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
)

// longest is how long viewers watch, at most. The inspector ends a stream after five minutes.
const longest = 4 * time.Minute

// A command is what is measured, by its flags.
type command struct {
	count   int           // pages of each filter
	rows    int           // of the table
	pairs   int           // of times with viewers and without
	time    time.Duration // of one such time
	viewers int           // of which a tenth never reads
	rate    int           // Puts a second meanwhile
	idle    time.Duration // how long nobody looks
}

// A result is what was measured on one database.
type result struct {
	backend env.Backend
	lists   []*list
	watched watched
	weight  weight
	idle    idle
}

// Run is the command "inspect".
func Run(ctx context.Context, args []string) error {
	flags := env.NewFlags("inspect", 21, "20000 rows, 5 passes and 2 pairs of 2s")
	c := command{viewers: 100, rate: 200, idle: 2 * time.Second}
	flags.IntVar(&c.rows, "rows", 1_000_000, "rows of the table")
	flags.IntVar(&c.pairs, "pairs", 5, "pairs of times with viewers and without")
	flags.DurationVar(&c.time, "time", 7*time.Second, "length of such a time")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.Short {
		c.rows, flags.Count, c.pairs, c.time = 20_000, 5, 2, 2*time.Second
	}
	c.count = flags.Count
	if c.rows < leastRows || c.pairs < 1 || c.time < time.Second/10 || c.time > longest {
		return fmt.Errorf("-rows must be at least %d, -pairs at least 1, and -time from 100ms to %v", leastRows, longest)
	}
	return env.Report(ctx, flags, fmt.Sprintf("%d rows, %d passes, %d pairs of %v", c.rows, c.count, c.pairs, c.time), func(e *env.Env) (all []result, err error) {
		for _, b := range env.Databases {
			if !e.Has(b) {
				continue
			}
			r, err := c.measure(ctx, e, b)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", b, err)
			}
			all = append(all, r)
		}
		return all, nil
	}, c.print)
}

// measure measures one database.
func (c command) measure(ctx context.Context, e *env.Env, b env.Backend) (r result, err error) {
	sc, closeScene, err := c.newScene(ctx, e, b)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, closeScene()) }()
	r.backend = b
	if r.lists, err = c.measureLists(ctx, sc); err != nil {
		return r, err
	}
	if r.weight, err = sc.weigh(ctx); err != nil {
		return r, err
	}
	if r.watched, err = c.measureWatched(ctx, sc); err != nil {
		return r, err
	}
	r.idle = sc.measureIdle(ctx, c.idle)
	return r, nil
}

// print prints the tables and the aims.
func (c command) print(w io.Writer, all []result) {
	var aims []env.Aim
	for _, r := range all {
		printLists(w, r)
	}
	env.Head(w, fmt.Sprintf("Put at %d a second, live viewers: %d, a tenth of which never read", c.rate, c.viewers),
		"", "Puts:", "p50 without, ms:", "p50 with:", "with, times without:", "quartiles:",
		"p50 constant bytes:", "with, times constant bytes:", "quartiles:", "p99 without:", "p99 with:", "updates read:")
	for _, r := range all {
		v := r.watched
		ratios := env.Ratios(v.with.p50, v.without.p50)
		control := env.Ratios(v.with.p50, v.constant.p50)
		fmt.Fprintf(w, "| %s | %d | %.2f | %.2f | %.2f | %.2f–%.2f | %.2f | %.2f | %.2f–%.2f | %.2f | %.2f | %d |\n", r.backend, v.with.puts+v.without.puts,
			env.Median(v.without.p50), env.Median(v.with.p50), env.Median(ratios), env.Quantile(ratios, 0.25), env.Quantile(ratios, 0.75),
			env.Median(v.constant.p50), env.Median(control), env.Quantile(control, 0.25), env.Quantile(control, 0.75),
			env.Median(v.without.p99), env.Median(v.with.p99), v.updates)
		aims = append(aims, env.NewAim(string(r.backend)+": p50 of Put with viewers, times that without", true, 1.05, ratios),
			env.NewAim(string(r.backend)+": p50 of Put with viewers, times that with as many of constant bytes", true, 1.05, control))
	}
	fmt.Fprintln(w)
	env.Head(w, "Weight of a page, and nobody looks", "", "page of 50, bytes:", "with its assets:", "calls of the store:", "allocations:", "without an inspector:")
	for _, r := range all {
		fmt.Fprintf(w, "| %s | %d | %d | %d | %d | %d |\n", r.backend, r.weight.page, r.weight.all, r.idle.calls, r.idle.allocations, r.idle.without)
		aims = append(aims,
			env.NewAim(string(r.backend)+": page of 50 with its assets, kB", true, 60, []float64{float64(r.weight.all) / 1000}),
			env.NewAim(string(r.backend)+": calls of the store while nobody looks", true, 0, []float64{float64(r.idle.calls)}))
	}
	fmt.Fprintln(w)
	env.PrintAims(w, "Aims of the inspector", aims)
}
