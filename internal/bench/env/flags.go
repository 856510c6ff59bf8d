package env

import (
	"context"
	"flag"
	"fmt"
)

// Flags are a command's. All commands have those that are fields.
type Flags struct {
	*flag.FlagSet
	Count int
	Short bool
	Dir   string
}

// NewFlags returns the flags of a command. The passes are those of -count, and short
// describes -short.
func NewFlags(command string, passes int, short string) *Flags {
	f := &Flags{FlagSet: flag.NewFlagSet(command, flag.ExitOnError)}
	f.IntVar(&f.Count, "count", passes, "passes over everything")
	f.BoolVar(&f.Short, "short", false, short+", for a quick look")
	f.StringVar(&f.Dir, "dir", "", "folder for the stores (default the system's temporary one); its disk is what is measured")
	return f
}

// With prints what the run is and calls f with an [Env].
func (f *Flags) With(ctx context.Context, run string, measure func(e *Env) error) error {
	if f.Count < 1 {
		return fmt.Errorf("-count is %d, want at least 1", f.Count)
	}
	e, err := New(ctx, f.Dir)
	if err != nil {
		return err
	}
	defer e.Close()
	fmt.Printf("%s, %s\n\n", Machine(), run)
	return measure(e)
}
