package inboxtest

import (
	"slices"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// filterFaults break the laws of filters.
var filterFaults = []brokenLaw{
	{"a Filter by UID selects one", func(f *fault) {
		f.changeFilters(func(filter *webhook.Filter) { filter.UID = "" })
	}},
	{"a Filter by Source selects those of the source", func(f *fault) {
		f.changeFilters(func(filter *webhook.Filter) { filter.Source = "" })
	}},
	{"a Filter by Type selects those of the type", func(f *fault) {
		f.changeFilters(func(filter *webhook.Filter) { filter.Type = "" })
	}},
	{"a Filter by OrderingKey selects those of the key", func(f *fault) {
		f.changeFilters(func(filter *webhook.Filter) { filter.OrderingKey = "" })
	}},
	{"a Filter by ID selects those with the sender's ID", func(f *fault) { // with the UID
		f.changeFilters(func(filter *webhook.Filter) { filter.UID, filter.ID = filter.UID+filter.ID, "" })
	}},
	{"a Filter by States selects those in one of them", func(f *fault) { // in the first
		f.changeFilters(func(filter *webhook.Filter) { filter.States = filter.States[:min(len(filter.States), 1)] })
	}},
	{"a Filter by Text finds a part of the reason", func(f *fault) { // its beginning
		f.addToList(func(filter webhook.Filter) (webhook.Filter, bool) { return webhook.Filter{}, filter.Text == "refused" })
	}},
	{"a Filter by Text finds ASCII letters in any case", func(f *fault) {
		f.changeFilters(func(filter *webhook.Filter) {
			if filter.Text != "" && filter.Text != strings.ToLower(filter.Text) && !strings.ContainsAny(filter.Text, "Ü") {
				filter.Text = "no such reason"
			}
		})
	}},
	{"a Filter by Text finds letters beyond ASCII", func(f *fault) {
		f.changeFilters(func(filter *webhook.Filter) { filter.Text = strings.ReplaceAll(filter.Text, "Ü", "ü") })
	}},
	{"a Filter by Text matches special characters literally", func(f *fault) {
		f.changeFilters(func(filter *webhook.Filter) { filter.Text = strings.ReplaceAll(filter.Text, "_", "-") })
	}},
	{"a Filter by Text has no patterns", func(f *fault) {
		f.changeFilters(func(filter *webhook.Filter) {
			if before, _, ok := strings.Cut(filter.Text, "%d"); ok {
				filter.Text = before
			}
		})
	}},
	{"a Filter by From selects those received then or later", func(f *fault) { // later
		f.changeFilters(func(filter *webhook.Filter) {
			if !filter.From.IsZero() {
				filter.From = filter.From.Add(1)
			}
		})
	}},
	{"a Filter by To selects those received before", func(f *fault) { // or then
		f.changeFilters(func(filter *webhook.Filter) {
			if !filter.To.IsZero() {
				filter.To = filter.To.Add(1)
			}
		})
	}},
	{"a Filter with a Limit selects the newest", func(f *fault) { // one too few
		f.changeFilters(func(filter *webhook.Filter) {
			if filter.Limit == 3 && filter.Before == 0 {
				filter.Limit--
			}
		})
	}},
	{"a Filter selects what matches all of its fields", func(f *fault) { // or States alone
		f.changeFilters(func(filter *webhook.Filter) {
			if len(filter.States) > 0 {
				filter.Text = ""
			}
		})
	}},
	{"Before selects the next page", func(f *fault) { // to the same one
		f.changeFilters(func(filter *webhook.Filter) {
			if filter.Before > 0 && filter.Limit == 5 {
				filter.Before++
			}
		})
	}},
	{"After and Before select what is between them", func(f *fault) { // and the first
		f.changeFilters(func(filter *webhook.Filter) { filter.After -= min(1, max(0, filter.After)) })
	}},
	{"After restricts what is replayed and discarded", func(f *fault) { // not what is replayed
		f.changeReplays(func(filter *webhook.Filter, _ *webhook.Note) {
			if filter.After > 0 && filter.UID == "" {
				*filter = webhook.Filter{States: []webhook.State{webhook.Dead}}
			}
		})
	}},
	{"a replay of a run that is not the last one is ErrState", func(f *fault) { // it runs again
		f.changeReplays(func(filter *webhook.Filter, _ *webhook.Note) {
			if filter.UID != "" && filter.After > 0 {
				filter.After, filter.Before = 0, 0
			}
		})
	}},
	{"a Filter that Validate refuses is an error", func(f *fault) { // States that do not exist are left out
		f.changeFilters(func(filter *webhook.Filter) {
			filter.States = slices.DeleteFunc(slices.Clone(filter.States), func(s webhook.State) bool { return s == "buried" })
		})
	}},
}
