package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/hookhouse/hookhouse/webhook"
)

// defaultListed is the -limit of list.
const defaultListed = 50

var listCommand = &command{
	name:  "list",
	short: "list deliveries, newest first",
	long: `Prints one line for each delivery that matches all filters, and reads the database a page at a time. Bodies are printed
by show only. The last column is why it failed, waits or was given up.`,
	examples: []string{
		`hookhouse list -db hooks.db -state dead                            # what was given up`,
		`hookhouse list -db hooks.db -state waiting,blocked -key acme/app   # what waits, and for what`,
		`hookhouse list -db hooks.db -since 2h -text 'connection refused'`,
		`hookhouse list -db hooks.db -json -limit 0 | jq -r .uid`,
	},
	flags: slices.Concat(storeFlags, filterFlags, []flagDef{limitFlag}),
	take:  noOperands,
	run:   list,
}

func list(ctx context.Context, s store, o options, p *printer) error {
	f := o.filter
	switch f.Limit {
	case 0:
		f.Limit = defaultListed
	case noLimit:
		f.Limit = 0
	}
	n := 0
	for r, err := range s.All(ctx, f) {
		if err != nil {
			return err
		}
		if n == 0 {
			if err := p.heading(); err != nil {
				return err
			}
		}
		n++
		if err := p.line(r); err != nil {
			return err
		}
	}
	switch {
	case n == 0:
		return errNothing
	case n == f.Limit && o.filter.Limit == 0:
		p.note("These are the newest %d; -limit 0 lists all.", n)
	}
	return nil
}

const lineFormat = "%-32s  %s  %-11s  %-22s  %-30s  %s\n"

// heading prints the names of the columns.
func (p *printer) heading() error {
	if p.json {
		return nil
	}
	_, err := fmt.Fprintf(p, lineFormat, "UID", "STATE     ", "RECEIVED", "TYPE", "ORDERING KEY", "REASON")
	return err
}

// line prints a delivery on one line.
func (p *printer) line(r webhook.Record) error {
	if p.json {
		return p.object(recordOf(r))
	}
	d := r.Delivery
	_, err := fmt.Fprintf(p, lineFormat, clean(d.UID), p.state(r.State, 10), ago(d.ReceivedAt, p.now), orDash(d.Type),
		orDash(d.OrderingKey), p.comment(r))
	return err
}

// comment is the last column of a line.
func (p *printer) comment(r webhook.Record) string {
	text := ""
	add := func(format string, args ...any) {
		if text != "" {
			text += "; "
		}
		text += fmt.Sprintf(format, args...)
	}
	if r.Replayed && !r.State.Final() {
		add("a replay")
	}
	if r.Attempt > 0 && r.State != webhook.Done {
		add("attempt %d", r.Attempt)
	}
	switch {
	case r.State == webhook.Waiting && r.Due.After(p.now):
		add("due %s", ago(r.Due, p.now))
	case r.State == webhook.Claimed:
		add("lease ends %s", ago(r.Expires, p.now))
	}
	if r.Reason != "" {
		add("%s", short(clean(r.Reason), 120))
	}
	return orDash(text)
}
