package main

import "slices"

// quantile returns the value below which the share q of the values lies; 0 of
// no values.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func median(values []float64) float64 { return quantile(values, 0.5) }

// spread is the distance of the quartiles as a share of the median.
func spread(values []float64) float64 {
	return (quantile(values, 0.75) - quantile(values, 0.25)) / median(values)
}

// ratio is the median of a/b taken round by round, so that what slows down a
// whole round cancels out.
func ratio(a, b []float64) float64 { return median(ratios(a, b)) }

// ratios are a/b, round by round.
func ratios(a, b []float64) []float64 {
	each := make([]float64, min(len(a), len(b)))
	for i := range each {
		each[i] = a[i] / b[i]
	}
	return each
}

// minus returns a less b, round by round.
func minus(a, b []float64) []float64 {
	rest := make([]float64, min(len(a), len(b)))
	for i := range rest {
		rest[i] = a[i] - b[i]
	}
	return rest
}

// each returns one figure of every sample.
func each(samples []sample, figure func(sample) float64) []float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = figure(s)
	}
	return values
}

func (b *bench) ns() []float64  { return each(b.samples, func(s sample) float64 { return s.ns }) }
func (b *bench) cpu() []float64 { return each(b.samples, func(s sample) float64 { return s.cpu }) }
func (b *bench) bytes() float64 {
	return median(each(b.samples, func(s sample) float64 { return s.bytes }))
}
func (b *bench) allocs() float64 {
	return median(each(b.samples, func(s sample) float64 { return s.allocs }))
}

// find returns the one of that name, nil where there is none.
func find(benches []*bench, name string) *bench {
	for _, b := range benches {
		if b.name == name {
			return b
		}
	}
	return nil
}

// bestPeer returns the peer with the lowest median.
func bestPeer(benches []*bench) *bench {
	var best *bench
	for _, b := range benches {
		if b.kind == peer && (best == nil || median(b.ns()) < median(best.ns())) {
			best = b
		}
	}
	return best
}
