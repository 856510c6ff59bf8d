package compare

import (
	"fmt"
	"io"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
)

// rates returns operations per second, slice by slice.
func (r *row) rates(side int) []float64 {
	var rates []float64
	for _, s := range r.slices[side] {
		rates = append(rates, float64(s.Done)/s.Took.Seconds())
	}
	return rates
}

// cpu returns the processor time of one operation, of the process and the
// database together. It is that of all slices, as the database's is measured in
// ticks that are too long for one.
func (r *row) cpu(side int) time.Duration {
	var used time.Duration
	done := 0
	for _, s := range r.slices[side] {
		used += s.CPU + s.database
		done += s.Done
	}
	if done == 0 {
		return 0
	}
	return used / time.Duration(done)
}

// aim returns the rate after as a multiple of the rate before.
func (r *row) aim() env.Aim {
	before, after := r.rates(0), r.rates(1)
	a := env.NewAim("", false, r.Least, env.Ratios(after, before))
	a.Best = env.Quantile(after, 1) / env.Quantile(before, 1)
	if used := r.cpu(1); used > 0 {
		a.CPU = float64(r.cpu(0)) / float64(used)
	}
	return a
}

// printRows prints the table of all metrics. A multiple above 1 means that the
// new commit is faster or needs less processor time.
func printRows(w io.Writer, rows []*row) {
	env.Head(w, "After, as a multiple of before", "metric", "in", "before/s:", "spread:", "CPU µs:", "after/s:", "spread:", "CPU µs:",
		"x before:", "quartiles:", "by best slices:", "by CPU time:", "wanted:", "")
	for _, r := range rows {
		before, after, a := r.rates(0), r.rates(1), r.aim()
		wanted, verdict := "", ""
		if r.Least > 0 {
			wanted, verdict = a.Wanted(), a.VerdictByCPU()
		}
		fmt.Fprintf(w, "| %s | %s | %.0f | %.0f%% | %.0f | %.0f | %.0f%% | %.0f | %.3f | %.3f–%.3f | %.3f | %.3f | %s | %s |\n", r.Name, r.backend,
			env.Median(before), env.Spread(before), env.Micros(r.cpu(0)), env.Median(after), env.Spread(after), env.Micros(r.cpu(1)),
			a.Got, a.Low, a.High, a.Best, a.CPU, wanted, verdict)
	}
	fmt.Fprintln(w)
}
