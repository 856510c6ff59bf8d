package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// matchingFaults break the laws of Match.
var matchingFaults = []brokenLaw{
	{"Match finds the endpoints of a type", func(f *fault) {
		f.unless(func(owner, typ string) bool { return typ == "beta.event" && owner == someOwner && len(f.list()) == 2 })
	}},
	{`"a.*" matches what begins with "a."`, func(f *fault) { // and one word
		f.unless(func(_, typ string) bool { return typ == "order.line.added" })
	}},
	{`"a.*" does not match "a"`, func(f *fault) {
		f.changeMatch(func(_, typ *string) {
			if *typ == "bare" {
				*typ = "bare.event"
			}
		})
	}},
	{"a pattern matches whole words", func(f *fault) {
		f.changeMatch(func(_, typ *string) {
			if *typ == "wholesale.event" {
				*typ = "whole.event"
			}
		})
	}},
	{`"*" matches every type`, func(f *fault) { // of one word
		f.unless(func(_, typ string) bool { return typ == "any.type.at.all" })
	}},
	{"types are compared with regard to case", func(f *fault) {
		f.changeMatch(func(_, typ *string) {
			if *typ == "upper.event" {
				*typ = "Upper.event"
			}
		})
	}},
	{"marks of other pattern languages stand for themselves", func(f *fault) {
		f.changeMatch(func(_, typ *string) {
			if *typ == "mark.event" {
				*typ = "m_rk.event"
			}
		})
	}},
	{"Match finds an endpoint once", func(f *fault) {
		f.changeTargets(func(typ string, targets *[]publish.Target) {
			if typ == "once.event" {
				*targets = append(*targets, *targets...)
			}
		})
	}},
	{"Match finds the endpoints of the owner only", func(f *fault) { // and those of nobody
		f.match = func(ctx context.Context, owner, typ string) ([]publish.Target, error) {
			targets, err := f.MemStore.Match(ctx, owner, typ)
			if owner != "" && err == nil {
				more, _ := f.MemStore.Match(ctx, "", typ)
				targets = append(targets, more...)
			}
			return targets, err
		}
	}},
	{"Match finds the endpoints of nobody by an empty owner", func(f *fault) { // those of all
		f.unless(func(owner, _ string) bool { return owner == "" })
	}},
	{"Match finds paused endpoints", func(f *fault) {
		f.changeTargets(func(_ string, targets *[]publish.Target) {
			*targets = slices.DeleteFunc(*targets, func(target publish.Target) bool { return f.state(target.ID) == publish.Paused })
		})
	}},
	{"Match does not find disabled endpoints", func(f *fault) {
		f.changeCreated(func(e *publish.Endpoint) {
			if e.State == publish.Disabled && e.ID == "ep_0001" {
				e.State = publish.Active
			}
		})
	}},
	{"Match goes by the State that Update has stored", func(f *fault) { // for good
		var disabled bool
		f.changeUpdated(func(_, e *publish.Endpoint) {
			if e.State == publish.Disabled {
				disabled = true
			}
		})
		f.unless(func(string, string) bool { return disabled })
	}},
	{"Match returns the lanes", func(f *fault) {
		f.changeTargets(func(_ string, targets *[]publish.Target) {
			for i := range *targets {
				(*targets)[i].Lanes = 0
			}
		})
	}},
	{"Match returns endpoints in the order of their creation", func(f *fault) { // in that of their IDs
		f.changeTargets(func(_ string, targets *[]publish.Target) {
			slices.SortFunc(*targets, func(a, b publish.Target) int { return strings.Compare(a.ID, b.ID) })
		})
	}},
	{"Match refuses what is no type", func(f *fault) { // finds nothing
		f.match = func(ctx context.Context, owner, typ string) ([]publish.Target, error) {
			targets, err := f.MemStore.Match(ctx, owner, typ)
			if errors.Is(err, publish.ErrEvent) {
				return nil, nil
			}
			return targets, err
		}
	}},
	{"Match finds many endpoints", func(f *fault) {
		f.changeTargets(func(_ string, targets *[]publish.Target) { *targets = (*targets)[:min(100, len(*targets))] })
	}},
}

// unless lets Match find nothing if hides says so.
func (f *fault) unless(hides func(owner, typ string) bool) {
	f.match = func(ctx context.Context, owner, typ string) ([]publish.Target, error) {
		targets, err := f.MemStore.Match(ctx, owner, typ)
		if hides(owner, typ) {
			targets = nil
		}
		return targets, err
	}
}

// list returns all endpoints.
func (f *fault) list() (list []*publish.Endpoint) {
	for e := range f.MemStore.All(context.Background(), publish.Filter{}) {
		list = append(list, e)
	}
	return list
}

func (f *fault) state(id string) publish.State {
	e, err := f.MemStore.Get(context.Background(), id)
	if err != nil {
		return ""
	}
	return e.State
}
