package main

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// A command is one word after hookhouse.
type command struct {
	name     string
	operands string // as in the help, such as "[UID]"
	short    string
	long     string
	examples []string
	flags    []flagDef
	// take moves the operands into the options, and refuses what does not fit together.
	take func(o *options) error
	// run does the work on a database or a service, ofDatabase on a database alone, and
	// offline without either. A command has one of them.
	run        func(ctx context.Context, s store, o options, p *printer) error
	ofDatabase func(ctx context.Context, s *database, o options, p *printer) error
	offline    func(ctx context.Context, o options, p *printer) error
}

// commands are in the order of the help.
func commands() []*command {
	return []*command{
		listCommand, showCommand, attemptsCommand, statsCommand, tailCommand,
		replayCommand, buryCommand, giveUpCommand, releaseCommand, releaseKeyCommand, discardCommand,
		pauseCommand, resumeCommand,
		sendCommand, forwardCommand,
	}
}

// commandNamed returns a command, or nil.
func commandNamed(name string) *command {
	for _, c := range commands() {
		if c.name == name {
			return c
		}
	}
	return nil
}

const usageHead = `The command for the person on call, for the database of any program that uses Hookhouse, or for a running service.

    hookhouse COMMAND [flags] [operands]

`

const usageTail = `
The database is -db or HOOKHOUSE_DB, or the text of the file that HOOKHOUSE_DB_FILE names: a SQLite file, which must
exist, or a postgres:// URL. It is never migrated.

Instead of a database, -url or HOOKHOUSE_URL is the place where a running service has mounted its inspector. If that asks for
a password, set -user or HOOKHOUSE_USER, and HOOKHOUSE_PASSWORD or HOOKHOUSE_PASSWORD_FILE.

Exit status: 0 done, 1 failed, 2 a mistake on the command line, 3 nothing matched.
Colors are used on a terminal only, and not if NO_COLOR is set.

Without a command:

    hookhouse -check      can the database store deliveries? If calls are refused, this says why
    hookhouse -version    the version of this program

All flags; "hookhouse COMMAND -help" has those of a command, with examples:
`

// helpOfAll prints the help of the program.
func helpOfAll(w io.Writer) error {
	var b strings.Builder
	b.WriteString(usageHead)
	for _, c := range commands() {
		fmt.Fprintf(&b, "    %-22s %s\n", strings.TrimSpace(c.name+" "+c.operands), c.short)
	}
	b.WriteString(usageTail)
	writeFlags(&b, allFlags())
	_, err := io.WriteString(w, b.String())
	return err
}

// helpOf prints the help of a command.
func helpOf(w io.Writer, c *command) error {
	var b strings.Builder
	fmt.Fprintf(&b, "hookhouse %s: %s\n\n    hookhouse %s [flags]\n\n%s\n\nExamples:\n\n", c.name, c.short,
		strings.TrimSpace(c.name+" "+c.operands), c.long)
	for _, e := range c.examples {
		fmt.Fprintf(&b, "    %s\n", e)
	}
	b.WriteString("\nFlags:\n")
	writeFlags(&b, newFlags(c.name, new(options), c.flags))
	_, err := io.WriteString(w, b.String())
	return err
}

// noOperands refuses operands.
func noOperands(o *options) error {
	if len(o.args) > 0 {
		return fmt.Errorf("unexpected argument %q", o.args[0])
	}
	return nil
}

// optionalUID takes one UID as an operand, which is as good as -uid.
func optionalUID(o *options) error {
	switch {
	case len(o.args) > 1:
		return fmt.Errorf("unexpected argument %q: one UID at a time", o.args[1])
	case len(o.args) == 1 && o.filter.UID != "":
		return fmt.Errorf("a UID is given twice: %q and -uid %q", o.args[0], o.filter.UID)
	case len(o.args) == 1:
		o.filter.UID = o.args[0]
	}
	return nil
}

// oneUID takes one UID, which is required.
func oneUID(o *options) error {
	if err := optionalUID(o); err != nil {
		return err
	}
	if o.filter.UID == "" {
		return fmt.Errorf("needs the UID of a delivery, which list prints")
	}
	return nil
}
