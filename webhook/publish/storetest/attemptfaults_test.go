package storetest

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook/publish"
)

// attemptFaults break the laws of Attempts.
var attemptFaults = []brokenLaw{
	{"Attempts returns the newest first", func(f *fault) { // that began last
		f.attempts = func(ctx context.Context, filter publish.AttemptFilter) iter.Seq2[publish.Attempt, error] {
			return func(yield func(publish.Attempt, error) bool) {
				var list []publish.Attempt
				for a, err := range f.MemStore.Attempts(ctx, filter) {
					if err != nil {
						yield(a, err)
						return
					}
					list = append(list, a)
				}
				slices.SortStableFunc(list, func(a, b publish.Attempt) int { return b.At.Compare(a.At) })
				for _, a := range list {
					if !yield(a, nil) {
						return
					}
				}
			}
		}
	}},
	{"Attempts selects an endpoint", func(f *fault) {
		f.changeAttemptFilter(func(filter *publish.AttemptFilter) {
			if filter.Endpoint == "ep1" && filter.Event == "" {
				filter.Endpoint = ""
			}
		})
	}},
	{"Attempts selects an event", func(f *fault) {
		f.changeAttemptFilter(func(filter *publish.AttemptFilter) {
			if filter.Event == "event1" {
				filter.Event = ""
			}
		})
	}},
	{"Attempts selects a delivery", func(f *fault) {
		f.changeAttemptFilter(func(filter *publish.AttemptFilter) {
			if filter.UID == "1" {
				filter.UID = ""
			}
		})
	}},
	{"Attempts selects results", func(f *fault) { // the first one only
		f.changeAttemptFilter(func(filter *publish.AttemptFilter) { filter.Results = filter.Results[:min(1, len(filter.Results))] })
	}},
	{"Attempts selects those that began then or later", func(f *fault) { // later
		f.changeAttemptFilter(func(filter *publish.AttemptFilter) {
			if filter.From.Nanosecond()%1000 == 0 && !filter.From.IsZero() {
				filter.From = filter.From.Add(time.Microsecond)
			}
		})
	}},
	{"Attempts selects an attempt from its own time on, however exact", func(f *fault) { // rounds up
		f.changeAttemptFilter(func(filter *publish.AttemptFilter) {
			if filter.From.Nanosecond()%1000 > 0 {
				filter.From = filter.From.Add(time.Microsecond)
			}
		})
	}},
	{"Attempts selects those that began before", func(f *fault) { // then too
		f.changeAttemptFilter(func(filter *publish.AttemptFilter) {
			if !filter.To.IsZero() {
				filter.To = filter.To.Add(time.Microsecond)
			}
		})
	}},
	{"an attempt must match all fields of a filter", func(f *fault) {
		f.changeAttemptFilter(func(filter *publish.AttemptFilter) {
			if filter.Endpoint != "" && filter.Event != "" {
				filter.Event = ""
			}
		})
	}},
	{"Attempts goes on before a Seq", func(f *fault) { // with it
		f.changeAttemptFilter(func(filter *publish.AttemptFilter) {
			if filter.Before > 0 {
				filter.Before++
			}
		})
	}},
	{"Attempts returns the newest up to a limit", func(f *fault) { // one more
		f.changeAttemptFilter(func(filter *publish.AttemptFilter) {
			if filter.Limit > 0 {
				filter.Limit++
			}
		})
	}},
	{"Attempts returns many, each once", func(f *fault) { // the first page
		f.changeAttemptFilter(func(filter *publish.AttemptFilter) {
			if filter.Limit == 0 && filter.Endpoint == "ep" {
				filter.Limit = 100
			}
		})
	}},
	{"a Store can be used while Attempts goes on", func(f *fault) {
		busy := false
		f.attempts = func(ctx context.Context, filter publish.AttemptFilter) iter.Seq2[publish.Attempt, error] {
			return func(yield func(publish.Attempt, error) bool) {
				busy = true
				f.MemStore.Attempts(ctx, filter)(yield)
				busy = false
			}
		}
		f.record = func(ctx context.Context, a publish.Attempt) (bool, error) {
			if busy {
				return false, errors.New("locked")
			}
			return f.MemStore.Record(ctx, a)
		}
	}},
}
