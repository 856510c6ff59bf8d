package held

import (
	"fmt"
	"io"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
)

func (r *row) figures(f func(result) float64) []float64 { return env.Figures(r.runs, f) }

func (r *row) p50() []float64 {
	return r.figures(func(l result) float64 { return env.Millis(l.p50) })
}
func (r *row) p99() []float64 {
	return r.figures(func(l result) float64 { return env.Millis(l.p99) })
}

func (r *row) sum(f func(result) int) int {
	n := 0
	for _, run := range r.runs {
		n += f(run)
	}
	return n
}

func (r *row) refused() int { return r.sum(func(l result) int { return l.refused }) }

// freeRow returns the row of the same round trip with nothing held.
func freeRow(rows []*row, trip time.Duration) *row {
	for _, r := range rows {
		if r.trip == trip && r.name == nothingHeld {
			return r
		}
	}
	return nil
}

// print prints the table and the aims.
func (c command) print(w io.Writer, rows []*row) {
	env.Head(w, fmt.Sprintf("Put under free keys, PostgreSQL, senders: %d; %d keys held, %d deliveries replayed", c.senders, c.keys, c.replays),
		"round trip:", "meanwhile", "Puts:", "p50 ms:", "spread:", "p99 ms:", "lowest:", "spread:", "x p50:", "x p99:", "x lowest p99:",
		"refused:", "refused under held keys:", "replayed/s:", "Replays that failed:")
	var aims []env.Aim
	for _, r := range rows {
		free, times, replayed := freeRow(rows, r.trip), " | | ", ""
		if r.name != nothingHeld {
			times = fmt.Sprintf("%.2f | %.2f | %.2f", env.Ratio(r.p50(), free.p50()), env.Ratio(r.p99(), free.p99()), env.Quantile(r.p99(), 0)/env.Quantile(free.p99(), 0))
			aims = append(aims, r.aims(free)...)
		}
		if r.name == replayRuns {
			replayed = fmt.Sprintf("%.0f", env.Median(r.figures(func(l result) float64 { return l.replayed })))
		}
		fmt.Fprintf(w, "| %v | %s | %d | %.2f | %.0f%% | %.2f | %.2f | %.0f%% | %s | %d | %d | %s | %d |\n", r.trip, r.name,
			r.sum(func(l result) int { return l.puts }), env.Median(r.p50()), env.Spread(r.p50()), env.Median(r.p99()), env.Quantile(r.p99(), 0), env.Spread(r.p99()), times,
			r.refused(), r.sum(func(l result) int { return l.waited }), replayed, r.sum(func(l result) int { return l.failed }))
	}
	fmt.Fprintln(w)
	env.PrintAims(w, "Aims of intake while keys are held", aims)
}

// aims returns those of a row: p99 is at most one and a half times that with
// nothing held in the same pass, and one round trip more.
func (r *row) aims(free *row) []env.Aim {
	bound := free.figures(func(l result) float64 { return 1.5*env.Millis(l.p99) + env.Millis(r.trip) })
	what := fmt.Sprintf("round trip %v, %s: ", r.trip, r.name)
	return []env.Aim{
		env.NewAim(what+"p99, share of 1.5 times that with nothing held and a round trip", true, 1, env.Ratios(r.p99(), bound)),
		env.NewAim(what+"live calls refused", true, 0, []float64{float64(r.refused())}),
	}
}
