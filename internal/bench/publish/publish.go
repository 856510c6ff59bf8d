// Package publish measures a Publisher: how many events it stores and delivers beside
// other ways to do that, what an endpoint that hangs changes, its memory, and claims while
// one endpoint has a backlog.
package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/hookhouse/hookhouse/internal/bench/env"
)

// A command is what the command line asks for.
type command struct {
	only, impls string
	count       int
	endpoints   []int
	deliveries  int
	profiles    string

	pairs, pairOf          int
	waiting, many, handled int
	backlog, claims        int
}

// A result is what was measured; the rest is nil.
type result struct {
	rates   []*row
	pairs   []*pair
	memory  []*load
	backlog []*queue
}

// Run is the command "publish".
func Run(ctx context.Context, args []string) error {
	var c command
	flags := env.NewFlags("publish", 3, "one pass of everything with a hundredth of the deliveries")
	flags.StringVar(&c.only, "only", "", "measures whose name contains one of these, separated by commas: rates, pairs, memory, backlog")
	flags.StringVar(&c.impls, "impls", "", "implementations whose name and database contain one of these, separated by commas")
	endpoints := flags.String("endpoints", "1,10,100,1000", "numbers of endpoints for rates, separated by commas")
	flags.IntVar(&c.deliveries, "deliveries", 4000, "deliveries of each run of rates and pairs, about")
	flags.StringVar(&c.profiles, "profiles", "", "folder for profiles of each implementation's last run")
	flags.IntVar(&c.pairs, "pairs", 10, "pairs of runs with an endpoint that hangs and without it")
	flags.IntVar(&c.pairOf, "pair-endpoints", 100, "endpoints of these that answer")
	flags.IntVar(&c.waiting, "waiting", 1_000_000, "deliveries that wait, for memory")
	flags.IntVar(&c.many, "many", 10_000, "endpoints, for memory")
	flags.IntVar(&c.handled, "handled", 20_000, "deliveries that the process makes, for memory")
	flags.IntVar(&c.backlog, "backlog", 100_000, "deliveries that wait for one endpoint while others are claimed")
	flags.IntVar(&c.claims, "claims", 50, "passes of ten claims beside the backlog")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.Short {
		flags.Count, c.deliveries, c.pairs = 1, 40, 1
		c.waiting, c.many, c.handled = 10_000, 100, 200
		c.backlog, c.claims = 1000, 1
	}
	c.count = flags.Count
	var err error
	if c.endpoints, err = env.List(*endpoints, number); err != nil {
		return err
	}
	if err := c.validate(); err != nil {
		return err
	}
	return env.Report(ctx, flags, fmt.Sprintf("%d passes of %d deliveries", c.count, c.deliveries),
		func(e *env.Env) (result, error) { return c.measure(ctx, e) }, c.print)
}

// number parses a number of endpoints.
func number(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err == nil && n < 1 {
		err = fmt.Errorf("%d is not a number of endpoints", n)
	}
	return n, err
}

func (c command) validate() error {
	if min(c.deliveries, c.pairs, c.pairOf, c.backlog, c.claims) < 1 || c.many < fewEndpoints {
		return errors.New("-deliveries, -pairs, -pair-endpoints, -backlog and -claims must be at least 1, and -many at least 10")
	}
	if c.handled < 1 || c.waiting < c.handled {
		return errors.New("-handled must be at least 1, and -waiting at least -handled")
	}
	return nil
}

// measure measures what -only says.
func (c command) measure(ctx context.Context, e *env.Env) (r result, err error) {
	for _, m := range []struct {
		name    string
		measure func() error
	}{
		{"rates", func() (err error) { r.rates, err = c.measureRates(ctx, e); return err }},
		{"pairs", func() (err error) { r.pairs, err = c.measurePairs(ctx, e); return err }},
		{"memory", func() (err error) { r.memory, err = c.measureMemory(ctx, e); return err }},
		{"backlog", func() (err error) { r.backlog, err = c.measureBacklog(ctx, e); return err }},
	} {
		if !env.Named(m.name, c.only) {
			continue
		}
		if err := m.measure(); err != nil {
			return r, fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return r, nil
}

// print prints what was measured.
func (c command) print(w io.Writer, r result) {
	if r.rates != nil {
		printRates(w, r.rates)
	}
	if r.pairs != nil {
		c.printPairs(w, r.pairs)
	}
	if r.memory != nil {
		c.printMemory(w, r.memory)
	}
	if r.backlog != nil {
		printBacklog(w, r.backlog)
	}
}
