package publish

import (
	"context"
	"fmt"
	"io"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/receive"
)

// A pair has the rates of runs with an endpoint that hangs, beside those without it.
type pair struct {
	backend       env.Backend
	without, with []float64 // deliveries per second
}

// measurePairs runs each database with and without an endpoint that hangs, one after the
// other. Which is first changes.
func (c command) measurePairs(ctx context.Context, e *env.Env) (all []*pair, err error) {
	for _, m := range impls {
		if m.kind != receive.Ours || !e.Has(m.backend) || !env.Named(m.name+", "+string(m.backend), c.impls) {
			continue
		}
		p := &pair{backend: m.backend}
		all = append(all, p)
		err := env.Rounds(c.pairs, 2, 2, func(i int) error {
			f, err := c.run(ctx, e, m, audience{good: c.pairOf, hanging: i == 1})
			if err != nil {
				return fmt.Errorf("%s, %d endpoints: %w", m.backend, c.pairOf, err)
			}
			rates := []*[]float64{&p.without, &p.with}[i]
			*rates = append(*rates, f.rate)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (c command) printPairs(w io.Writer, all []*pair) {
	env.Head(w, fmt.Sprintf("Deliveries to %d endpoints with one more that hangs, and without it: %d pairs", c.pairOf, c.pairs), "in",
		"deliveries/s without:", "spread:", "deliveries/s with:", "spread:", "with, times without:", "quartiles:", "lowest:", "highest:")
	for _, p := range all {
		times := env.Ratios(p.with, p.without)
		fmt.Fprintf(w, "| %s | %.0f | %.0f%% | %.0f | %.0f%% | %.2f | %.2f–%.2f | %.2f | %.2f |\n", p.backend,
			env.Median(p.without), env.Spread(p.without), env.Median(p.with), env.Spread(p.with),
			env.Median(times), env.Quantile(times, 0.25), env.Quantile(times, 0.75), env.Quantile(times, 0), env.Quantile(times, 1))
	}
	fmt.Fprintln(w)
}
