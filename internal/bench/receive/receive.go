package receive

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
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

// printRace prints the table of one body.
func printRace(w io.Writer, r race, benches []*bench) {
	env.Head(w, fmt.Sprintf("%s (%d bytes)", r.body.Name, len(r.body.Text)),
		"implementation", "", "median µs:", "min µs:", "spread:", "CPU µs:", "B/op:", "allocs/op:", "x its floor:", "faster than best peer:")
	best := bestPeer(benches)
	for _, b := range benches {
		toFloor, toPeer := "", ""
		if f := find(benches, b.against); f != nil {
			toFloor = fmt.Sprintf("%.2f", env.Ratio(b.ns, f.ns))
		}
		if best != nil && b.Kind != Harness {
			toPeer = fmt.Sprintf("%.2f", env.Ratio(best.ns, b.ns))
		}
		fmt.Fprintf(w, "| %s | %s | %.2f | %.2f | %.0f%% | %.2f | %.0f | %.0f | %s | %s |\n", b.Name, b.Kind,
			env.Median(b.ns)/1e3, env.Quantile(b.ns, 0)/1e3, env.Spread(b.ns), env.Median(b.cpu)/1e3, env.Median(b.bytes), env.Median(b.allocs), toFloor, toPeer)
	}
	fmt.Fprintln(w)
}

// printServers prints the table of the whole servers.
func printServers(w io.Writer, servers []*server) {
	env.Head(w, fmt.Sprintf("A whole server, %s, %d connections, %s", sender.RealPush.Name, connections, env.Placement()),
		"implementation", "", "requests/s:", "best:", "spread:", "p50 ms:", "p99 ms:", "server CPU µs/request:", "x best peer's requests/s:")
	best := bestPeer(servers)
	for _, s := range servers {
		fmt.Fprintf(w, "| %s | %s | %.0f | %.0f | %.0f%% | %.2f | %.2f | %.1f | %.2f |\n", s.Name, s.Kind,
			env.Median(s.rps), env.Quantile(s.rps, 1), env.Spread(s.rps),
			env.Median(s.p50), env.Median(s.p99), env.Median(s.cpu), env.Ratio(s.rps, best.rps))
	}
	fmt.Fprintln(w)
}
