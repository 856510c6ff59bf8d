package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
)

// parseFlags parses args. For -help it prints usage and the flags, and returns
// flag.ErrHelp. Any other mistake is an error of one line, and nothing is printed.
func parseFlags(flags *flag.FlagSet, usage string, out io.Writer, args []string) error {
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(out, usage)
		flags.SetOutput(out)
		flags.PrintDefaults()
	case err != nil:
		return fmt.Errorf("%w; see -help", err)
	}
	return err
}
