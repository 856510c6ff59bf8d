package pace

import (
	"context"
	"fmt"
	"math"

	"github.com/hookhouse/hookhouse/webhook/sqlinbox"
)

// A Metric is a rate of the inbox: operations per second.
type Metric struct {
	Name  string
	Ops   int // how many operations a store is good for
	Slice int // how many of them are done at a stretch
	// Least is what the rate must be of an older commit's at least. Zero means
	// that there is no such aim.
	Least float64

	// fill makes ready for so many operations. Nil means that nothing is needed.
	fill func(ctx context.Context, in *sqlinbox.Inbox, ops int) error
	// do does n operations after so many that are done, or some more, and returns
	// how many.
	do func(ctx context.Context, in *sqlinbox.Inbox, done, n int) (int, error)
	// unfinished is how many deliveries the inbox must have waiting, blocked or
	// claimed when that is done.
	unfinished func(ops, done int) int
}

// Metrics are all there are. Their names tell them apart.
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

// Find returns the metric of that name with a share of its operations, from 0 to
// 1, at least ten in two slices.
func Find(name string, share float64) (Metric, error) {
	for _, m := range Metrics {
		if m.Name == name {
			m.Ops = max(10, int(math.Ceil(float64(m.Ops)*share)))
			m.Slice = max(5, int(math.Ceil(float64(m.Slice)*share)))
			return m, nil
		}
	}
	return Metric{}, fmt.Errorf("pace: no metric %q", name)
}

// check returns an error unless the inbox holds what it must after so many
// operations.
func (m Metric) check(ctx context.Context, in *sqlinbox.Inbox, done int) error {
	want := m.unfinished(m.Ops, done)
	got, err := in.Pending(ctx, want+1)
	if err == nil && got != want {
		err = fmt.Errorf("pace: %s: %d are unfinished after %d of %d operations, want %d", m.Name, got, done, m.Ops, want)
	}
	return err
}
