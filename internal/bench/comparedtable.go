package main

import (
	"fmt"
	"io"
	"time"
)

// rates are operations per second, slice by slice.
func (r *comparedRow) rates(side int) []float64 {
	rates := make([]float64, len(r.slices[side]))
	for i, s := range r.slices[side] {
		rates[i] = float64(s.Done) / s.Took.Seconds()
	}
	return rates
}

// cpu is the processor time of one operation, of the process and the database
// together, over all slices: it comes in ticks that are too coarse for one.
func (r *comparedRow) cpu(side int) time.Duration {
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

// aim is the rate after as a multiple of the rate before. Where Least is zero
// there is nothing to reach.
func (r *comparedRow) aim() aim {
	before, after := r.rates(0), r.rates(1)
	a := aim{want: r.Least, got: ratio(after, before), best: quantile(after, 1) / quantile(before, 1)}
	if used := r.cpu(1); used > 0 {
		a.cpu = float64(r.cpu(0)) / float64(used)
	}
	return a
}

// printCompared writes the table of all metrics. A multiple above 1 means that
// the new one is faster, by the clock as by processor time.
func printCompared(w io.Writer, rows []*comparedRow) {
	fmt.Fprintln(w, "### After, as a multiple of before")
	fmt.Fprintln(w)
	fmt.Fprintln(w, "| metric | in | before/s | spread | after/s | spread | x before | quartiles | by best slices | by CPU time | wanted | |")
	fmt.Fprintln(w, "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|")
	for _, r := range rows {
		before, after, a := r.rates(0), r.rates(1), r.aim()
		each := ratios(after, before)
		wanted, verdict := "", ""
		if r.Least > 0 {
			wanted, verdict = fmt.Sprintf("≥ %.2f", r.Least), a.verdict()
		}
		fmt.Fprintf(w, "| %s | %s | %.0f | %.0f%% | %.0f | %.0f%% | %.3f | %.3f–%.3f | %.3f | %.3f | %s | %s |\n", r.Name, r.in,
			median(before), 100*spread(before), median(after), 100*spread(after),
			a.got, quantile(each, 0.25), quantile(each, 0.75), a.best, a.cpu, wanted, verdict)
	}
	fmt.Fprintln(w)
}
