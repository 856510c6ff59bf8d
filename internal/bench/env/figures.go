package env

import (
	"slices"
	"strings"
	"time"
)

// Rounds calls f for each of n rows in each pass. Rows take turns within groups
// of that size, and each pass begins with another row of the group, so that what
// disturbs the machine for a while affects all of them. It returns the first
// error.
func Rounds(passes, n, group int, f func(i int) error) error {
	for pass := range passes {
		for i := range n {
			if err := f(i - i%group + (i+pass)%group); err != nil {
				return err
			}
		}
	}
	return nil
}

// Millis and Micros convert a time for tables.
func Millis(d time.Duration) float64 { return float64(d) / 1e6 }
func Micros(d time.Duration) float64 { return float64(d) / 1e3 }

// Quantile returns the value below which the share q of the values lies. Of no
// values it is 0.
func Quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func Median(values []float64) float64 { return Quantile(values, 0.5) }

// Spread returns the distance of the quartiles in percent of the median.
func Spread(values []float64) float64 {
	return 100 * (Quantile(values, 0.75) - Quantile(values, 0.25)) / Median(values)
}

// Ratio returns the median of a/b taken round by round, so that what slows down
// a whole round cancels out.
func Ratio(a, b []float64) float64 { return Median(Ratios(a, b)) }

// Ratios returns a/b, round by round.
func Ratios(a, b []float64) []float64 {
	each := make([]float64, min(len(a), len(b)))
	for i := range each {
		each[i] = a[i] / b[i]
	}
	return each
}

// Minus returns a-b, round by round.
func Minus(a, b []float64) []float64 {
	rest := make([]float64, min(len(a), len(b)))
	for i := range rest {
		rest[i] = a[i] - b[i]
	}
	return rest
}

// Named reports whether the name contains one of the parts of a list, which commas
// separate. The empty list means every name.
func Named(name, list string) bool {
	return slices.ContainsFunc(strings.Split(list, ","), func(part string) bool { return strings.Contains(name, part) })
}

// Find returns the first of all for which is returns true, or the zero value.
func Find[T any](all []T, is func(T) bool) (found T) {
	for _, v := range all {
		if is(v) {
			return v
		}
	}
	return found
}

// List parses the values of a list, which commas separate.
func List[T any](list string, parse func(string) (T, error)) ([]T, error) {
	var all []T
	for text := range strings.SplitSeq(list, ",") {
		v, err := parse(text)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}
