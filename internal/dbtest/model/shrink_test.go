package model

import (
	"context"
	"slices"
	"strings"
	"time"
)

// shrinkTime limits the search for smaller plans.
const shrinkTime = 20 * time.Second

// kind returns the kind of the first fault.
func (r *report) kind() string {
	if len(r.faults) == 0 {
		return ""
	}
	kind, _, _ := strings.Cut(r.faults[0], ":")
	return kind
}

// shrink removes operations from the plan of r while it still fails in the same way,
// in one of several orders.
func (g *env) shrink(ctx context.Context, r *report) *report {
	end := time.Now().Add(shrinkTime)
	for time.Now().Before(end) {
		next := g.smaller(ctx, r, end)
		if next == nil {
			return r
		}
		r = next
	}
	return r
}

func (g *env) smaller(ctx context.Context, r *report, end time.Time) *report {
	for _, pl := range r.plan.smaller() {
		for range 25 {
			try := g.play(ctx, pl)
			if try.err != nil || time.Now().After(end) {
				return nil
			}
			if try.kind() == r.kind() {
				return try
			}
			next := *pl
			next.orderSeed++
			pl = &next
		}
	}
	return nil
}

// smaller returns plans that lack one thing each, the largest first.
func (p *plan) smaller() []*plan {
	var list []*plan
	without := func(n, at int) {
		less := *p
		less.programs = slices.Clone(p.programs)
		less.programs[n] = slices.Delete(slices.Clone(p.programs[n]), at, at+1)
		list = append(list, &less)
	}
	for n, program := range p.programs {
		if len(program) > 1 {
			less := *p
			less.programs = slices.Clone(p.programs)
			less.programs[n] = nil
			list = append(list, &less)
		}
	}
	for n, program := range p.programs {
		for at := range program {
			without(n, at)
		}
	}
	for at := range p.before {
		less := *p
		less.before = slices.Delete(slices.Clone(p.before), at, at+1)
		list = append(list, &less)
	}
	if p.isolation != isolations[0] {
		less := *p
		less.isolation = isolations[0]
		list = append(list, &less)
	}
	return list
}
