package main

import (
	"errors"
	"flag"
	"io"
	"os"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// options holds the values of the flags and the operands of a command.
type options struct {
	args     []string
	database string
	service  string
	user     string
	// allowHTTP lets the password of user go over http to another machine.
	allowHTTP bool
	json      bool
	verbose   bool

	check, version bool

	filter               webhook.Filter
	states, since, until string
	meant                []webhook.State // if -state is not set

	note  webhook.Note
	noted bool // the command records the note, and whose it is
	yes   bool
	all   bool   // types, or of give-up all deliveries
	as    string // of give-up

	every, interval time.Duration
	onlyBody        bool

	send    sending
	forward forwarding
}

// A flagDef defines a flag, or several that belong together.
type flagDef func(f *flag.FlagSet, o *options)

var storeFlags = []flagDef{
	func(f *flag.FlagSet, o *options) {
		f.StringVar(&o.database, "db", "", "SQLite `file` or postgres:// URL (default $HOOKHOUSE_DB)")
		serviceFlag(f, o)
		f.BoolVar(&o.json, "json", false, "print one JSON object a line, with exact times")
	},
}

// serviceFlag defines the flags that name a service.
func serviceFlag(f *flag.FlagSet, o *options) {
	f.StringVar(&o.service, "url", "", "`URL` of the inspector of a running service, instead of -db (default $HOOKHOUSE_URL)")
	f.BoolVar(&o.allowHTTP, "allow-http", false, "with -url: send the password over http to another machine, where others can read it")
	f.StringVar(&o.user, "user", "", "with -url: `name` that the inspector asks for (default $HOOKHOUSE_USER); the password is $HOOKHOUSE_PASSWORD")
}

var filterFlags = []flagDef{
	func(f *flag.FlagSet, o *options) {
		f.StringVar(&o.filter.UID, "uid", "", "the delivery with this `UID`")
		f.StringVar(&o.filter.ID, "id", "", "deliveries with this `id` of the sender")
		f.StringVar(&o.states, "state", "", "deliveries in one of these `states`: "+stateNames()+"; separated by commas")
		f.StringVar(&o.since, "since", "", "received at this `time` or later: 90s, 15m, 2h, 3d ago, or 2026-03-02, \"2026-03-02 09:15\", or RFC 3339")
		f.StringVar(&o.until, "until", "", "received before this `time`, written as for -since")
		f.StringVar(&o.filter.Text, "text", "", "deliveries whose reason contains this `text`, in any case")
	},
	sharedFilterFlag,
}

func limitFlag(f *flag.FlagSet, o *options) {
	f.IntVar(&o.filter.Limit, "limit", 0, "the newest `n` only (0 means all; default of list 50, of tail 10)")
}

// sharedFilterFlag defines the filters that tail has too.
func sharedFilterFlag(f *flag.FlagSet, o *options) {
	f.StringVar(&o.filter.Source, "source", "", "deliveries of this `source`, such as github")
	f.StringVar(&o.filter.Type, "type", "", "deliveries of this `type`, such as github.push")
	f.StringVar(&o.filter.OrderingKey, "key", "", "deliveries with this ordering `key`")
}

func noteFlag(f *flag.FlagSet, o *options) {
	o.noted = true
	f.StringVar(&o.note.By, "by", "", "`who` does it, for the record (default: your login name)")
	f.StringVar(&o.note.Why, "why", "", "`why`, for the record")
}

func yesFlag(f *flag.FlagSet, o *options) {
	f.BoolVar(&o.yes, "yes", false, "do not ask before many deliveries are changed")
}

func verboseFlag(f *flag.FlagSet, o *options) {
	f.BoolVar(&o.verbose, "v", false, "print the inbox's own log on standard error: who did what to which delivery, and why")
}

func checkFlag(f *flag.FlagSet, o *options) {
	f.BoolVar(&o.check, "check", false, "store a small change in the database, and say why if that fails")
}

func versionFlag(f *flag.FlagSet, o *options) {
	f.BoolVar(&o.version, "version", false, "print the version of this program")
}

// newFlags returns a set of the flags of a command.
func newFlags(name string, o *options, defs []flagDef) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard) // run prints the error
	for _, define := range defs {
		define(f, o)
	}
	return f
}

// allFlags returns the flags of all commands in one set.
func allFlags() *flag.FlagSet {
	all := newFlags("hookhouse", new(options), []flagDef{checkFlag, versionFlag})
	for _, c := range commands() {
		newFlags(c.name, new(options), c.flags).VisitAll(func(f *flag.Flag) {
			if all.Lookup(f.Name) == nil {
				all.Var(f.Value, f.Name, f.Usage)
			}
		})
	}
	return all
}

func writeFlags(w io.Writer, f *flag.FlagSet) {
	f.SetOutput(w)
	f.PrintDefaults()
}

// parse reads flags before, between and after the operands.
func parse(f *flag.FlagSet, o *options, args []string) error {
	for {
		if err := f.Parse(args); err != nil {
			return err
		}
		if f.NArg() == 0 {
			break
		}
		o.args = append(o.args, f.Arg(0))
		args = f.Args()[1:]
	}
	if o.filter.Limit < 0 {
		return errors.New("-limit must not be negative")
	}
	f.Visit(func(given *flag.Flag) {
		if given.Name == "limit" && o.filter.Limit == 0 {
			o.filter.Limit = noLimit
		}
	})
	return nil
}

// noLimit is the -limit 0 of a command that has another default.
const noLimit = -1

// complete reads the values that need a second look.
func (o *options) complete() error {
	var err error
	now := time.Now()
	if o.filter.States, err = parseStates(o.states); err != nil {
		return err
	}
	if o.states == "" {
		o.filter.States = o.meant
	}
	if o.filter.From, err = parseTime("-since", o.since, now); err != nil {
		return err
	}
	if o.filter.To, err = parseTime("-until", o.until, now); err != nil {
		return err
	}
	switch {
	case !o.filter.From.IsZero() && !o.filter.To.IsZero() && !o.filter.From.Before(o.filter.To):
		return errors.New("-since is not before -until")
	}
	return nil
}

// filtered reports whether a flag or an operand says which deliveries are meant.
func (o *options) filtered() bool {
	f := o.filter
	return f.UID != "" || f.ID != "" || f.Source != "" || f.Type != "" || f.OrderingKey != "" || f.Text != "" ||
		o.states != "" || o.since != "" || o.until != ""
}

// loginName is the person's name, also under sudo.
func loginName() string {
	if name := os.Getenv("SUDO_USER"); name != "" {
		return name
	}
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}

var states = []webhook.State{
	webhook.Waiting, webhook.Blocked, webhook.Claimed, webhook.Done, webhook.Dead, webhook.Superseded, webhook.Ignored,
}

func stateNames() string {
	var names []string
	for _, s := range states {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

func parseStates(list string) ([]webhook.State, error) {
	if list == "" {
		return nil, nil
	}
	var parsed []webhook.State
	for name := range strings.SplitSeq(list, ",") {
		s := webhook.State(strings.TrimSpace(name))
		if !slices.Contains(states, s) {
			return nil, errors.New("-state " + quoted(string(s)) + " is none of " + stateNames())
		}
		if !slices.Contains(parsed, s) {
			parsed = append(parsed, s)
		}
	}
	return parsed, nil
}
