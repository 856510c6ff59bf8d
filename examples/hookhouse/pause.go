package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
)

var pauseFlags = slices.Concat(storeFlags, []flagDef{
	func(f *flag.FlagSet, o *options) {
		f.StringVar(&o.filter.Type, "type", "", "deliveries of this `type`, such as github.push")
		f.BoolVar(&o.all, "all", false, "all deliveries, of all types")
	}, noteFlag, verboseFlag,
})

var pauseCommand = &command{
	name:     "pause",
	operands: "[TYPE]",
	short:    "stop the claiming of a type, or of all, by all processes",
	long: `Calls are still stored, and what runs is not interrupted. A delivery of the type holds back the others of its ordering key,
whatever their types. stats lists the pauses in force. The pause of a type and that of all are independent.`,
	examples: []string{
		`hookhouse pause -db hooks.db dockerhub.push -why 'the registry is down'`,
		`hookhouse pause -db hooks.db -all -why 'the deploy is broken'`,
	},
	flags: pauseFlags,
	take:  oneType,
	run: func(ctx context.Context, s store, o options, p *printer) error {
		if err := s.Pause(ctx, o.filter.Type, o.note); err != nil {
			return err
		}
		return p.done(message{Did: "paused", Type: o.filter.Type, All: o.all, By: o.note.By, Why: o.note.Why}, "paused %s", typeName(o.filter.Type))
	},
}

var resumeCommand = &command{
	name:     "resume",
	operands: "[TYPE]",
	short:    "end a pause",
	long:     `Ends the pause of a type, or with -all that of all types. What was stored meanwhile runs in its order.`,
	examples: []string{
		`hookhouse resume -db hooks.db dockerhub.push -why 'the registry is back'`,
		`hookhouse resume -db hooks.db -all`,
	},
	flags: pauseFlags,
	take:  oneType,
	run: func(ctx context.Context, s store, o options, p *printer) error {
		if err := s.Resume(ctx, o.filter.Type, o.note); err != nil {
			return err
		}
		return p.done(message{Did: "resumed", Type: o.filter.Type, All: o.all, By: o.note.By, Why: o.note.Why}, "resumed %s", typeName(o.filter.Type))
	},
}

// oneType takes a type as an operand, which is as good as -type, or -all.
func oneType(o *options) error {
	switch {
	case len(o.args) > 1:
		return fmt.Errorf("unexpected argument %q: one type at a time", o.args[1])
	case len(o.args) == 1 && o.filter.Type != "":
		return fmt.Errorf("a type is given twice: %q and -type %q", o.args[0], o.filter.Type)
	case len(o.args) == 1:
		o.filter.Type = o.args[0]
	}
	switch {
	case o.filter.Type == "" && !o.all:
		return errors.New("needs a type, or -all")
	case o.filter.Type != "" && o.all:
		return errors.New("needs a type or -all, not both")
	}
	return nil
}
