package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"

	"github.com/hookhouse/hookhouse/webhook"
)

var giveUpCommand = &command{
	name:     "give-up",
	operands: "[UID]",
	short:    "end deliveries that wait or are blocked, in bulk, as dead or ignored",
	long: `Ends what is waiting or blocked, with who and why as its reason. It is bury for many: it works in batches, also on an ordering
key that blocks a million. -as ignored keeps the deliveries as short as done ones. Each can be replayed as long as it is
kept. A claimed one is left as it is. If it stops half way, what it has ended remains so: run it again. With a UID it ends
that delivery and does not ask. With filters, or -all, it counts what matches, prints the number, and asks on a terminal;
elsewhere it needs -yes. It never ends more than it has counted, and none that is stored later.`,
	examples: []string{
		`hookhouse give-up -db hooks.db -source github -key acme/gone -why 'the repository is gone'`,
		`hookhouse give-up -db hooks.db -type kudu.PostDeployment -until 3d -as ignored -yes -why 'nobody needs them'`,
		`hookhouse give-up -db hooks.db -all -why 'a test database'`,
	},
	flags: slices.Concat(storeFlags, filterFlags, []flagDef{yesFlag, verboseFlag, noteFlag, func(f *flag.FlagSet, o *options) {
		f.StringVar(&o.as, "as", string(webhook.Dead), "the `state` that they have then: dead or ignored")
		f.BoolVar(&o.all, "all", false, "all deliveries, of all types")
	}}),
	take:       takeGiveUp,
	ofDatabase: giveUp,
}

var takeUnfinished = takeChange([]webhook.State{webhook.Waiting, webhook.Blocked}, webhook.Waiting, webhook.Blocked)

// takeGiveUp reads what is to be given up. Everything needs -all.
func takeGiveUp(o *options) error {
	if o.as != string(webhook.Dead) && o.as != string(webhook.Ignored) {
		return fmt.Errorf("-as must be dead or ignored, not %s", quoted(o.as))
	}
	if !o.all {
		return takeUnfinished(o)
	}
	switch err := noOperands(o); {
	case err != nil:
		return err
	case o.filtered():
		return errors.New("-all excludes filters")
	}
	o.meant = []webhook.State{webhook.Waiting, webhook.Blocked}
	return nil
}

func giveUp(ctx context.Context, s *database, o options, p *printer) error {
	f := o.filter
	counted := 1
	if f.UID == "" {
		matching, err := p.confirm(ctx, s, "give up", o)
		if err != nil {
			return err
		}
		counted = matching.count
		f.Limit, f.Before = matching.count, matching.newest+1
	}
	n, err := s.GiveUp(ctx, f, webhook.State(o.as), o.note)
	switch {
	case errors.Is(err, webhook.ErrNotFound):
		return fmt.Errorf("%w: there is no delivery %s", errNothing, quoted(f.UID))
	case err != nil && n == 0:
		return err
	}
	m := message{Did: "gave up", UID: f.UID, As: o.as, All: o.all, Count: n, By: o.note.By, Why: o.note.Why}
	if err == nil && n < counted {
		m.Skipped = counted - n
		p.note("%s skipped: the state has changed meanwhile", deliveries(m.Skipped))
	}
	return errors.Join(p.done(m, "gave up %s", deliveries(n)), err)
}
