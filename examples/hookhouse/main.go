// Hookhouse is the command for the person on call: it lists, shows, replays, buries,
// gives up, releases and discards the deliveries in the database of any program that uses
// sqlinbox, pauses types, follows what changes, and sends signed samples. To add
// commands of your own, copy the folder as described in the README of the examples.
//
//	hookhouse list -db hooks.db -state dead
//	hookhouse replay -db hooks.db -state dead -text 'connection refused' -why 'registry is back'
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// The exit codes.
const (
	exitFailed  = 1
	exitUsage   = 2
	exitNothing = 3
)

// errNothing means that no delivery matched.
var errNothing = errors.New("nothing matched")

// A usageError is a mistake on the command line.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "hookhouse:", err)
	os.Exit(exitCode(err))
}

func exitCode(err error) int {
	switch {
	case errors.As(err, new(usageError)):
		return exitUsage
	case errors.Is(err, errNothing):
		return exitNothing
	}
	return exitFailed
}

// run is the whole program.
func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return usagef("no command; see hookhouse -help")
	}
	if c := commandNamed(args[0]); c != nil {
		return runCommand(ctx, c, args[1:])
	}
	if args[0] == "help" {
		return help(args[1:])
	}
	return runWithout(ctx, args)
}

// runWithout handles a command line that begins with a flag.
func runWithout(ctx context.Context, args []string) error {
	var o options
	flags := newFlags("hookhouse", &o, append(storeFlags, checkFlag, versionFlag))
	err := parse(flags, &o, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return help(nil)
	case err != nil:
		return usagef("%v; see hookhouse -help", err)
	case o.version:
		fmt.Println("hookhouse", version())
		return nil
	case o.check:
		return withStore(ctx, checkCommand, o, newPrinter(o))
	case len(o.args) > 0:
		return usagef("unknown command %q; see hookhouse -help", o.args[0])
	}
	return usagef("no command; see hookhouse -help")
}

// runCommand parses the arguments of a command and runs it.
func runCommand(ctx context.Context, c *command, args []string) error {
	var o options
	err := parse(newFlags(c.name, &o, c.flags), &o, args)
	if errors.Is(err, flag.ErrHelp) {
		return helpOf(os.Stdout, c)
	}
	if err == nil {
		err = c.take(&o)
	}
	if err == nil {
		err = o.complete()
	}
	if err != nil {
		return usagef("%s: %v; see hookhouse %s -help", c.name, err, c.name)
	}
	p := newPrinter(o)
	if c.offline != nil {
		err = c.offline(ctx, o, p)
	} else {
		err = withStore(ctx, c, o, p)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	return nil
}

// help prints the help of the program or of a command.
func help(args []string) error {
	if len(args) == 0 {
		return helpOfAll(os.Stdout)
	}
	c := commandNamed(args[0])
	if c == nil {
		return usagef("unknown command %q; see hookhouse -help", args[0])
	}
	return helpOf(os.Stdout, c)
}

// checkCommand is what -check does.
var checkCommand = &command{name: "-check", run: func(ctx context.Context, s store, _ options, p *printer) error {
	text, err := s.check(ctx)
	if err != nil {
		return err
	}
	return p.done(message{Did: "checked"}, "%s", text)
}}

// isTerminal reports whether a person sits at a file.
func isTerminal(f any) bool {
	file, ok := f.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull) // of a timer or a service
	return err != nil || !os.SameFile(info, null)
}

var _ io.Writer = (*printer)(nil)
