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
runs, or none takes this type. It reads an index of all deliveries, which takes seconds for millions. A service counts no types, and
each state to 10 000 only: 10000+ means that there may be more.`,
	examples: []string{
		`hookhouse stats -db hooks.db`,
		`hookhouse stats -url https://service.example.com/debug/hooks/`,
		`hookhouse stats -db hooks.db -json | jq .counts.dead`,
	},
	flags: storeFlags,
	take:  noOperands,
	run:   stats,
}

// Numbers are what stats prints.
type numbers struct {
	webhook.Stats
	// more are the states that have more deliveries than Count says, and perhaps others too.
	more map[webhook.State]bool
	// partial is true for a service, which does not count Types and what pauses block.
	partial bool
}

// A summary is the JSON of stats.
type summary struct {
	Counts map[webhook.State]int `json:"counts"`
	More   []webhook.State       `json:"more,omitempty"` // of a service: there may be more than in counts
	Types  []typeSummary         `json:"types"`
	Paused []pauseSummary        `json:"paused"`
}

type typeSummary struct {
	Type        string                `json:"type"`
	Counts      map[webhook.State]int `json:"counts,omitempty"` // not of a service
	OldestDueMS float64               `json:"oldest_due_ms,omitempty"`
}

type pauseSummary struct {
	Type    string    `json:"type"` // empty: all
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Why     string    `json:"why,omitempty"`
	Blocked *int      `json:"blocked,omitempty"` // not of a service
}

func stats(ctx context.Context, s store, _ options, p *printer) error {
	n, err := s.numbers(ctx)
	switch {
	case err != nil:
		return err
	case p.json:
		return p.object(summaryOf(n))
	}
	return p.stats(n)
}

// types returns the types that are known, sorted.
func (n numbers) types() []string {
	if n.partial {
		return slices.Sorted(maps.Keys(n.Oldest))
	}
	return slices.Sorted(maps.Keys(n.Types))
}

func summaryOf(n numbers) summary {
	sum := summary{Counts: n.Count, Types: []typeSummary{}, Paused: []pauseSummary{}}
	for _, s := range states {
		if n.more[s] {
			sum.More = append(sum.More, s)
		}
	}
	for _, typ := range n.types() {
		sum.Types = append(sum.Types, typeSummary{typ, n.Types[typ], float64(n.Oldest[typ].Microseconds()) / 1000})
	}
	for _, ps := range n.Paused {
		out := pauseSummary{Type: ps.Type, At: ps.At.UTC(), By: ps.By, Why: ps.Why}
		if !n.partial {
			out.Blocked = &ps.Blocked
		}
		sum.Paused = append(sum.Paused, out)
	}
	return sum
}

// stats prints the numbers as a table.
func (p *printer) stats(n numbers) error {
	width := len("TYPE")
	for _, typ := range n.types() {
		width = max(width, len(clean(typ)))
	}
	line := fmt.Sprintf("%-*s", width, "TYPE")
	for _, s := range states {
		line += fmt.Sprintf("  %10s", s)
	}
	if _, err := fmt.Fprintln(p, p.bold(line+"  OLDEST DUE")); err != nil {
		return err
	}
	for _, typ := range n.types() {
		oldest := "-"
		if d, ok := n.Oldest[typ]; ok {
			oldest = about(d)
		}
		if err := p.counts(width, clean(typ), n.Types[typ], nil, oldest); err != nil {
			return err
		}
	}
	if err := p.counts(width, "all", n.Count, n.more, ""); err != nil {
		return err
	}
	for _, ps := range n.Paused {
		blocks := fmt.Sprintf("; it blocks %d", ps.Blocked)
		if n.partial {
			blocks = ""
		}
		_, err := fmt.Fprintf(p, "paused: %s, %s by %s%s%s\n", typeName(ps.Type), ago(ps.At, p.now), clean(ps.By), because(ps.Why), blocks)
		if err != nil {
			return err
		}
	}
	return nil
}

// counts prints a line of the table. If count is nil, nobody has counted.
func (p *printer) counts(width int, name string, count map[webhook.State]int, more map[webhook.State]bool, oldest string) error {
	line := fmt.Sprintf("%-*s", width, name)
	for _, s := range states {
		number := "-"
		if count != nil {
			number = fmt.Sprint(count[s])
		}
		if more[s] {
			number += "+"
		}
		number = fmt.Sprintf("%10s", number)
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
