package pace

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A Metric is a rate of the inbox: operations per second.
type Metric struct {
	Name  string
	Ops   int // how many operations are done on one store
	Slice int // how many of them are done before the other commit's turn
	// For is how long a slice lasts if it is not zero. Ops is then the number of
	// slices, and Slice is not used.
	For time.Duration
	// Rows is how many deliveries are stored before the first operation.
	Rows int
	// Least is the lowest multiple of an older commit's rate that is good enough. Zero
	// means that there is no such aim.
	Least float64

	// fill makes the store ready for ops operations. If nil, nothing is needed.
	fill func(ctx context.Context, in *sqlinbox.Inbox, ops int) error
	// do does n operations, or some more, after done of them, and returns how many. If
	// For is not zero, it does operations until ctx ends.
	do func(ctx context.Context, in *sqlinbox.Inbox, done, n int) (int, error)
	// unfinished is how many deliveries must then be waiting, blocked or claimed,
	// besides Rows.
	unfinished func(ops, done int) int
}

// Filled are the metrics of Puts that an empty store and a short time do not
// show: their dedup keys are random, as in life, and each touches a page of its
// own.
var Filled = []Metric{
	{Name: "Put, 64 senders, 300000 stored", Ops: 40_000, Slice: 2000, Rows: 300_000, Least: 1.25, do: pushBy(64), unfinished: whatIsDone},
	{Name: "Put, 64 senders, for 12 s", Ops: 3, For: 12 * time.Second, Least: 1.25, do: pushUntilEnd(64), unfinished: whatIsDone},
}

// Metrics are those that two commits are compared by.
var Metrics = []Metric{
	{Name: "Put, 64 senders", Ops: 10_000, Slice: 2000, do: putBy(64), unfinished: whatIsDone},
	{Name: "Put, a lone sender", Ops: 1500, Slice: 300, do: putBy(1), unfinished: whatIsDone},
	{Name: "claim, one at a time", Ops: 1500, Slice: 300, fill: fillBy(noKey), do: claim(1), unfinished: all},
	{Name: "claim, 64 at a time", Ops: 6400, Slice: 1280, fill: fillBy(noKey), do: claim(64), unfinished: all},
	{Name: "claim, nothing due", Ops: 1500, Slice: 300, fill: fillClaimed, do: claimNothing, unfinished: all},
	{Name: "drain, ten to a key, 8 at once", Ops: 10_000, Slice: 2000, Least: 0.97, fill: fillBy(tenToAKey), do: drain(8), unfinished: whatIsLeft},
	{Name: "drain, ten to a key, 64 at once", Ops: 10_000, Slice: 2000, Least: 0.97, fill: fillBy(tenToAKey), do: drain(64), unfinished: whatIsLeft},
	{Name: "drain, no key, 64 at once", Ops: 10_000, Slice: 2000, Least: 0.97, fill: fillBy(noKey), do: drain(64), unfinished: whatIsLeft},
}

func whatIsDone(_, done int) int   { return done }
func whatIsLeft(ops, done int) int { return ops - done }
func all(ops, _ int) int           { return ops }

// Find returns the metric of that name with a share of its operations and rows,
// from 0 to 1. It has at least ten operations in two slices.
func Find(name string, share float64) (Metric, error) {
	part := func(n int) int { return int(math.Ceil(float64(n) * share)) }
	for _, m := range slices.Concat(Metrics, Filled) {
		if m.Name != name {
			continue
		}
		m.Rows, m.For = part(m.Rows), time.Duration(part(int(m.For)))
		if m.For == 0 {
			m.Ops, m.Slice = max(10, part(m.Ops)), max(5, part(m.Slice))
		}
		return m, nil
	}
	return Metric{}, fmt.Errorf("pace: no metric %q", name)
}

// next returns how many operations the slice of that number has. Zero means that
// all are done.
func (m Metric) next(slice, done int) int {
	if m.For > 0 {
		return max(0, m.Ops-slice)
	}
	return max(0, min(m.Slice, m.Ops-done))
}

// run does the operations of a slice.
func (m Metric) run(ctx context.Context, in *sqlinbox.Inbox, done, n int) (int, error) {
	if m.For > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, m.For)
		defer stop()
	}
	return m.do(ctx, in, done, n)
}

// check returns an error unless the inbox holds what it must after done
// operations.
func (m Metric) check(ctx context.Context, in *sqlinbox.Inbox, done int) error {
	want := m.Rows + m.unfinished(m.Ops, done)
	got, err := in.Pending(ctx, want+1)
	if err == nil && got != want {
		err = fmt.Errorf("pace: %s: %d are unfinished after %d of %d operations, want %d", m.Name, got, done, m.Ops, want)
	}
	return err
}
