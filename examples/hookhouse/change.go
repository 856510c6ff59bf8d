package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

var changeFlags = slices.Concat(storeFlags, filterFlags, []flagDef{limitFlag, yesFlag, verboseFlag})

const manyLong = `With a UID it changes that delivery and does not ask. With filters it counts what matches, prints the number, and asks on
a terminal; elsewhere it needs -yes. It never changes more than it has counted.`

var replayCommand = &command{
	name:     "replay",
	operands: "[UID]",
	short:    "run finished deliveries again, oldest first and behind live ones",
	long: `Makes finished deliveries run again, with their attempts counted from zero. Without -state and UID these are dead ones.
Who and why are recorded with each. -every spares the target: one is due each time. ` + manyLong,
	examples: []string{
		`hookhouse replay -db hooks.db 019cadf4d7c80a4f6f4c2b8d1e3a5b7c -why 'the registry is back'`,
		`hookhouse replay -db hooks.db -state dead -text 'connection refused' -since 6h -every 2s -why 'the registry is back'`,
	},
	flags: slices.Concat(changeFlags, []flagDef{noteFlag, func(f *flag.FlagSet, o *options) {
		f.DurationVar(&o.every, "every", 0, "the `time` between two deliveries; at most 1h (default: none)")
	}}),
	take: takeChange(finished, webhook.Dead),
	run: func(ctx context.Context, s store, o options, p *printer) error {
		return finishedChange{"replay", "replayed", func(f webhook.Filter) (int, error) {
			return s.ReplayEvery(ctx, f, o.note, o.every)
		}}.run(ctx, s, o, p)
	},
}

var discardCommand = &command{
	name:     "discard",
	operands: "[UID]",
	short:    "delete finished deliveries before their time",
	long: `Deletes finished deliveries with their bodies and attempts. Their dedup keys remain, so a duplicate does not run again. Who
and why are in the inbox's log only, which -v prints. ` + manyLong,
	examples: []string{
		`hookhouse discard -db hooks.db 019cadf4d7c80a4f6f4c2b8d1e3a5b7c -why 'a test'`,
		`hookhouse discard -db hooks.db -state dead -type github.push -until 30d -yes -v -why 'nobody needs them'`,
	},
	flags: slices.Concat(changeFlags, []flagDef{noteFlag}),
	take:  takeChange(finished, finished...),
	ofDatabase: func(ctx context.Context, s *database, o options, p *printer) error {
		return finishedChange{"discard", "discarded", func(f webhook.Filter) (int, error) {
			return s.Discard(ctx, f, o.note)
		}}.run(ctx, s, o, p)
	},
}

var buryCommand = &command{
	name:     "bury",
	operands: "[UID]",
	short:    "give up deliveries that wait, so that the next of their ordering key run",
	long: `Makes a delivery that is waiting or blocked dead, with who and why as its reason. It can be replayed later. Release a
claimed one before. ` + manyLong,
	examples: []string{
		`hookhouse bury -db hooks.db 019cadf4d7c80a4f6f4c2b8d1e3a5b7c -why 'the repository is gone'`,
		`hookhouse bury -db hooks.db -key acme/gone -why 'the repository is gone'`,
	},
	flags: slices.Concat(changeFlags, []flagDef{noteFlag}),
	take:  takeChange([]webhook.State{webhook.Waiting, webhook.Blocked}, webhook.Waiting, webhook.Blocked),
	run: func(ctx context.Context, s store, o options, p *printer) error {
		return eachChange{"bury", "buried", func(uid string) error { return s.Bury(ctx, uid, o.note) }}.run(ctx, s, o, p)
	},
}

var releaseCommand = &command{
	name:     "release",
	operands: "[UID]",
	short:    "make deliveries due now: a retry that waits, or the claim of a dead worker",
	long: `Makes a delivery due now. A claimed one is taken from its worker, which can no longer settle it: make sure that the worker
is dead, since otherwise the delivery runs twice. Without -state and UID these are waiting ones. ` + manyLong,
	examples: []string{
		`hookhouse release -db hooks.db 019cadf4d7c80a4f6f4c2b8d1e3a5b7c`,
		`hookhouse release -db hooks.db -type github.push -text 'connection refused'`,
	},
	flags: changeFlags,
	take:  takeChange([]webhook.State{webhook.Waiting, webhook.Claimed, webhook.Blocked}, webhook.Waiting),
	run: func(ctx context.Context, s store, o options, p *printer) error {
		return eachChange{"release", "released", func(uid string) error { return s.release(ctx, uid, o.note) }}.run(ctx, s, o, p)
	},
}

var finished = []webhook.State{webhook.Dead, webhook.Done, webhook.Superseded, webhook.Ignored}

// takeChange reads what a command is to change. Only some states are possible, and some
// of them are meant if -state is not set.
func takeChange(possible []webhook.State, meant ...webhook.State) func(o *options) error {
	return func(o *options) error {
		if err := optionalUID(o); err != nil {
			return err
		}
		given, err := parseStates(o.states)
		switch {
		case err != nil:
			return err
		case !o.filtered():
			return errors.New("needs a UID, or a filter such as -type or -state")
		case o.every < 0 || o.every > time.Hour:
			return errors.New("-every must be from 0s to 1h")
		}
		for _, s := range given {
			if !slices.Contains(possible, s) {
				return fmt.Errorf("-state %s: not possible for a delivery that is %s", s, s)
			}
		}
		if len(given) == 0 && o.filter.UID == "" {
			o.meant = meant
		}
		return nil
	}
}

// A finishedChange is one that the inbox makes for a filter, in batches.
type finishedChange struct {
	verb, did string
	do        func(f webhook.Filter) (int, error)
}

func (c finishedChange) run(ctx context.Context, s store, o options, p *printer) error {
	f := o.filter
	if f.UID == "" {
		matching, err := p.confirm(ctx, s, c.verb, o)
		if err != nil {
			return err
		}
		f.Limit = matching.count
	}
	n, err := c.do(f)
	m := message{Did: c.did, UID: f.UID, Count: n, By: o.note.By, Why: o.note.Why}
	switch {
	case errors.Is(err, webhook.ErrNotFound):
		return fmt.Errorf("%w: there is no delivery %s", errNothing, quoted(f.UID))
	case err != nil && n == 0:
		return err
	}
	return errors.Join(p.done(m, "%s %s", c.did, deliveries(n)), err)
}

// An eachChange is one that the inbox makes for one delivery at a time.
type eachChange struct {
	verb, did string
	do        func(uid string) error
}

func (c eachChange) run(ctx context.Context, s store, o options, p *printer) error {
	m := message{Did: c.did, UID: o.filter.UID, By: o.note.By, Why: o.note.Why}
	if c.verb == "release" {
		m.By = "" // an inbox does not record who releases
	}
	if m.UID != "" {
		if _, err := getRecord(ctx, s, m.UID); err != nil {
			return err
		}
		if err := c.do(m.UID); err != nil {
			return err
		}
		m.Count = 1
		return p.done(m, "%s %s", c.did, clean(m.UID))
	}
	matching, err := p.confirm(ctx, s, c.verb, o)
	if err != nil {
		return err
	}
	// Newest first: if the head of an ordering key were changed before the others, these
	// would take its place and might run.
	f := o.filter
	f.Limit = matching.count
	for r, err := range s.All(ctx, f) {
		if err == nil {
			err = c.do(r.Delivery.UID)
		}
		switch {
		case err == nil:
			m.Count++
		case errors.Is(err, webhook.ErrState) || errors.Is(err, webhook.ErrNotFound):
			m.Skipped++ // it has changed since it was listed
		default:
			return errors.Join(p.done(m, "%s %s", c.did, deliveries(m.Count)), err)
		}
	}
	if m.Skipped > 0 {
		p.note("%s skipped: the state has changed meanwhile", deliveries(m.Skipped))
	}
	return p.done(m, "%s %s", c.did, deliveries(m.Count))
}

func deliveries(n int) string {
	if n == 1 {
		return "1 delivery"
	}
	return fmt.Sprintf("%d deliveries", n)
}
