// Pacer is the program of package pace: "pacer METRIC ENGINE DSN SHARE" measures
// one metric, with a share of its operations, as pace.Metric.Serve says. Package
// compare builds and starts it.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/hookhouse/hookhouse/internal/bench/pace"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pacer:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("got %d arguments, want a metric, an engine, a DSN and a share", len(args))
	}
	share, err := strconv.ParseFloat(args[3], 64)
	if err != nil {
		return err
	}
	m, err := pace.Find(args[0], share)
	if err != nil {
		return err
	}
	for _, e := range []pace.Engine{pace.SQLite, pace.PostgreSQL} {
		if e.Dialect.String() == args[1] {
			return m.Serve(context.Background(), e, args[2], os.Stdin, os.Stdout)
		}
	}
	return fmt.Errorf("no engine %q", args[1])
}
