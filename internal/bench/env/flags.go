package env

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
)

// Flags are a command's. All commands have those that are fields.
type Flags struct {
	*flag.FlagSet
	Count int
	Short bool
	Dir   string
	Needs Backend // if it is not empty, nothing is measured without it
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

// Report prints what the run is, measures with an [Env] and prints the result.
func Report[T any](ctx context.Context, f *Flags, run string, measure func(e *Env) (T, error), print func(w io.Writer, result T)) error {
	if f.Count < 1 {
		return fmt.Errorf("-count is %d, want at least 1", f.Count)
	}
	e, err := New(ctx, f.Dir)
	if err != nil {
		return err
	}
	defer e.Close()
	if f.Needs != "" && !e.Has(f.Needs) {
		return nil // New has printed it
	}
	fmt.Printf("%s, %s\n\n", Machine(), run)
	result, err := measure(e)
	if err != nil {
		return err
	}
	print(os.Stdout, result)
	return nil
}
