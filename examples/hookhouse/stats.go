package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

var statsCommand = &command{
	name:  "stats",
	short: "count the deliveries by type and state, and list the pauses",
	long: `Prints one line for each type. OLDEST DUE is the longest time for which one could have been claimed: it grows if no worker
runs, or none takes this type. It reads an index of all deliveries, which takes seconds for millions.`,
	examples: []string{
		`hookhouse stats -db hooks.db`,
		`hookhouse stats -db hooks.db -json | jq .counts.dead`,
	},
	flags: databaseFlags,
	take:  noOperands,
	run:   stats,
}

// A summary is the JSON of stats.
type summary struct {
	Counts map[webhook.State]int `json:"counts"`
	Types  []typeSummary         `json:"types"`
	Paused []pauseSummary        `json:"paused"`
}

type typeSummary struct {
	Type        string                `json:"type"`
	Counts      map[webhook.State]int `json:"counts"`
	OldestDueMS float64               `json:"oldest_due_ms,omitempty"`
}

type pauseSummary struct {
	Type    string    `json:"type"` // empty: all
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Why     string    `json:"why,omitempty"`
	Blocked int       `json:"blocked"`
}

func stats(ctx context.Context, s *store, _ options, p *printer) error {
	st, err := s.Stats(ctx)
	switch {
	case err != nil:
		return err
	case p.json:
		return p.object(summaryOf(st))
	}
	return p.stats(st)
}

func summaryOf(st webhook.Stats) summary {
	sum := summary{Counts: st.Count, Types: []typeSummary{}, Paused: []pauseSummary{}}
	for _, typ := range slices.Sorted(maps.Keys(st.Types)) {
		sum.Types = append(sum.Types, typeSummary{typ, st.Types[typ], float64(st.Oldest[typ].Microseconds()) / 1000})
	}
	for _, ps := range st.Paused {
		sum.Paused = append(sum.Paused, pauseSummary{ps.Type, ps.At.UTC(), ps.By, ps.Why, ps.Blocked})
	}
	return sum
}

// stats prints the numbers as a table.
func (p *printer) stats(st webhook.Stats) error {
	width := len("TYPE")
	for typ := range st.Types {
		width = max(width, len(clean(typ)))
	}
	line := fmt.Sprintf("%-*s", width, "TYPE")
	for _, s := range states {
		line += fmt.Sprintf("  %10s", s)
	}
	if _, err := fmt.Fprintln(p, p.bold(line+"  OLDEST DUE")); err != nil {
		return err
	}
	for _, typ := range slices.Sorted(maps.Keys(st.Types)) {
		oldest := "-"
		if d, ok := st.Oldest[typ]; ok {
			oldest = about(d)
		}
		if err := p.counts(width, clean(typ), st.Types[typ], oldest); err != nil {
			return err
		}
	}
	if err := p.counts(width, "all", st.Count, ""); err != nil {
		return err
	}
	for _, ps := range st.Paused {
		_, err := fmt.Fprintf(p, "paused: %s, %s by %s%s; it blocks %d\n", typeName(ps.Type), ago(ps.At, p.now), clean(ps.By), because(ps.Why), ps.Blocked)
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *printer) counts(width int, name string, count map[webhook.State]int, oldest string) error {
	line := fmt.Sprintf("%-*s", width, name)
	for _, s := range states {
		number := fmt.Sprintf("%10d", count[s])
		if count[s] > 0 && p.color {
			number = "\x1b[" + colors[s] + "m" + number + "\x1b[0m"
		}
		line += "  " + number
	}
	if oldest != "" {
		line += fmt.Sprintf("  %10s", oldest)
	}
	_, err := fmt.Fprintln(p, line)
	return err
}

// typeName names a type, or all.
func typeName(typ string) string {
	if typ == "" {
		return "all types"
	}
	return clean(typ)
}
