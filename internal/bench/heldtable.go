package main

import (
	"fmt"
	"io"
	"time"
)

func (r *heldRow) figures(f func(liveRun) float64) []float64 {
	values := make([]float64, len(r.runs))
	for i, run := range r.runs {
		values[i] = f(run)
	}
	return values
}

func (r *heldRow) p50() []float64 { return r.figures(func(l liveRun) float64 { return ms(l.p50) }) }
func (r *heldRow) p99() []float64 { return r.figures(func(l liveRun) float64 { return ms(l.p99) }) }

func (r *heldRow) sum(f func(liveRun) int) int {
	n := 0
	for _, run := range r.runs {
		n += f(run)
	}
	return n
}

func (r *heldRow) refused() int { return r.sum(func(l liveRun) int { return l.refused }) }

// shares are the p99 as shares of what it may be, pass by pass: one and a half
// times that with nothing held, and one round trip more.
func (r *heldRow) shares(free *heldRow) []float64 {
	bound := free.figures(func(l liveRun) float64 { return 1.5*ms(l.p99) + ms(r.trip) })
	return ratios(r.p99(), bound)
}

// freeRow is the row of the same round trip with nothing held.
func freeRow(rows []*heldRow, trip time.Duration) *heldRow {
	for _, r := range rows {
		if r.trip == trip && r.name == caseFree {
			return r
		}
	}
	return nil
}

// printHeld writes the table and the aims.
func printHeld(w io.Writer, o heldRun, rows []*heldRow) {
	fmt.Fprintf(w, "### Put under free keys, PostgreSQL, senders: %d; %d keys held, %d deliveries replayed\n\n", o.senders, o.keys, o.replays)
	fmt.Fprintln(w, "| round trip | meanwhile | Puts | p50 ms | spread | p99 ms | least | spread | x p50 | x p99 | x least p99 | refused | refused under held keys | replayed/s | Replays that failed |")
	fmt.Fprintln(w, "|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
	var aims []keptAim
	for _, r := range rows {
		free, times, replayed := freeRow(rows, r.trip), " | | ", ""
		if r.name != caseFree {
			times = fmt.Sprintf("%.2f | %.2f | %.2f", ratio(r.p50(), free.p50()), ratio(r.p99(), free.p99()), quantile(r.p99(), 0)/quantile(free.p99(), 0))
			aims = append(aims, r.aims(free)...)
		}
		if r.name == caseReplay {
			replayed = fmt.Sprintf("%.0f", median(r.figures(func(l liveRun) float64 { return l.replayed })))
		}
		fmt.Fprintf(w, "| %v | %s | %d | %.2f | %.0f%% | %.2f | %.2f | %.0f%% | %s | %d | %d | %s | %d |\n", r.trip, r.name,
			r.sum(func(l liveRun) int { return l.puts }), median(r.p50()), 100*spread(r.p50()), median(r.p99()), quantile(r.p99(), 0), 100*spread(r.p99()), times,
			r.refused(), r.sum(func(l liveRun) int { return l.waited }), replayed, r.sum(func(l liveRun) int { return l.failed }))
	}
	fmt.Fprintln(w)
	printKeptAims(w, "intake while keys are held", aims)
}

// aims are what the row is held to.
func (r *heldRow) aims(free *heldRow) []keptAim {
	shares := r.shares(free)
	what := fmt.Sprintf("round trip %v, %s: ", r.trip, r.name)
	return []keptAim{
		{text: what + "p99, share of 1.5 times that with nothing held and a round trip", atMost: true, want: 1,
			got: median(shares), low: quantile(shares, 0.25), high: quantile(shares, 0.75)},
		{text: what + "live calls refused", atMost: true, got: float64(r.refused()), low: float64(r.refused()), high: float64(r.refused())},
	}
}
