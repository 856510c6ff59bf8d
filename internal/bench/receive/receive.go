package receive

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/sender"
)

// Run is the command "receive".
func Run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("receive", flag.ExitOnError)
	count := flags.Int("count", 6, "passes over everything")
	benchtime := flags.Duration("benchtime", 300*time.Millisecond, "time for each implementation in one pass; a server takes four times that")
	short := flags.Bool("short", false, "two passes of 100ms, for a quick look")
	only := flags.String("only", "", "bodies whose name contains this; \"server\" for the whole servers")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *short {
		*count, *benchtime = 2, 100*time.Millisecond
	}
	if *count < 1 || *benchtime < time.Millisecond {
		return errors.New("-count must be at least 1 and -benchtime at least 1ms")
	}
	return report(ctx, *count, *benchtime, *only)
}

// report measures and prints everything whose name contains only.
func report(ctx context.Context, count int, benchtime time.Duration, only string) error {
	fmt.Printf("%s, %s, %d passes of %v\n\n", env.Machine(), env.Hashing(), count, benchtime)
	var aims []aim
	found := false
	for _, r := range races() {
		if !strings.Contains(r.body.Name, only) {
			continue
		}
		found = true
		benches, err := runRace(r, count, benchtime)
		if err != nil {
			return err
		}
		printRace(os.Stdout, r, benches)
		if r.body == sender.RealPush {
			aims = append(aims, raceAims(benches)...)
		}
	}
	if strings.Contains("server", only) {
		found = true
		servers, err := runServers(ctx, count, 4*benchtime)
		if err != nil {
			return err
		}
		printServers(os.Stdout, servers)
		aims = append(aims, serverAims(servers)...)
	}
	if !found {
		return fmt.Errorf("no name contains %q", only)
	}
	if len(aims) > 0 {
		printAims(os.Stdout, aims)
	}
	return nil
}
