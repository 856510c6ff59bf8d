// Bench measures Hookhouse beside its peers and beside hand-written floors, in
// one run, and prints ratios. See README.md for what each row is.
//
//	go run -C internal/bench .                        some four minutes
//	go run -C internal/bench . -short                 a quick look
//	go run -C internal/bench . -count 20 -only 8      more passes over one body
//	go run -C internal/bench . durable                answers given when a push is stored
//	go run -C internal/bench . work                   what is stored, worked off
//	go run -C internal/bench . scale                  claims in tables of a million rows
//	go run -C internal/bench . held                   Puts while keys are held, from near and far
//	go run -C internal/bench . snapshot               claims beside a transaction that does not end
//	go run -C internal/bench . compare -base main     two commits, taking turns
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run looks for the name of a command first; without one it is the receive path.
func run() error {
	if len(os.Args) > 1 {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		switch args := os.Args[2:]; os.Args[1] {
		case "durable":
			return durable(ctx, args)
		case "work":
			return work(ctx, args)
		case "scale":
			return scale(ctx, args)
		case "held":
			return held(ctx, args)
		case "snapshot":
			return snapshot(ctx, args)
		case "compare":
			return compare(ctx, args)
		case "hold":
			return hold(ctx, args)
		case "keep":
			return keepCommand(args)
		case "send":
			return sendCommand(args)
		}
	}
	return receivePath()
}

// receivePath measures what a call costs until it is verified and decoded.
func receivePath() error {
	count := flag.Int("count", 6, "passes over everything")
	benchtime := flag.Duration("benchtime", 300*time.Millisecond, "time for each contender in one pass; a server gets four times that")
	short := flag.Bool("short", false, "two passes of 100ms, for a quick look")
	only := flag.String("only", "", "races whose name has this in it; \"server\" for the whole servers")
	serveName := flag.String("serve", "", "used by the program itself: be this contender's server")
	loadAddr := flag.String("load", "", "used by the program itself: send load to this address")
	flag.Parse()
	if *short {
		*count, *benchtime = 2, 100*time.Millisecond
	}
	if *count < 1 || *benchtime < time.Millisecond {
		return errors.New("-count is at least 1 and -benchtime at least 1ms")
	}
	if *serveName != "" {
		c, ok := pushContender(*serveName)
		if !ok {
			return fmt.Errorf("no contender %q", *serveName)
		}
		if *loadAddr != "" {
			return generate(os.Stdout, c, realPush.text, *loadAddr, *benchtime)
		}
		return serve(c, os.Stdin, os.Stdout)
	}
	return report(*count, *benchtime, *only)
}

// report measures and prints everything whose name holds only.
func report(count int, benchtime time.Duration, only string) error {
	fmt.Printf("%s, SHA-256 at %.0f MB/s, %d passes of %v\n\n",
		machine(), hashRate()/1e6, count, benchtime)
	var aims []aim
	found := false
	for _, r := range races() {
		if !strings.Contains(r.body.name, only) {
			continue
		}
		found = true
		benches, err := runRace(r, count, benchtime)
		if err != nil {
			return err
		}
		printRace(os.Stdout, r, benches)
		if r.body == realPush {
			aims = append(aims, raceAims(benches)...)
		}
	}
	if strings.Contains("server", only) {
		found = true
		servers, err := runServers(count, 4*benchtime)
		if err != nil {
			return err
		}
		printServers(os.Stdout, placement(), servers)
		aims = append(aims, serverAims(servers)...)
	}
	if !found {
		return fmt.Errorf("nothing is named like %q", only)
	}
	if len(aims) > 0 {
		printAims(os.Stdout, aims)
	}
	return nil
}

// hashRate is how many bytes per second SHA-256 does here, at best. With the
// processor's own instructions for it, it is above a gigabyte.
func hashRate() float64 {
	block := make([]byte, 64<<10)
	best := time.Duration(1 << 62)
	for range 64 {
		start := time.Now()
		_ = sha256.Sum256(block)
		best = min(best, time.Since(start))
	}
	return float64(len(block)) / best.Seconds()
}

func pushContender(name string) (contender, bool) {
	for _, c := range pushContenders {
		if c.name == name {
			return c, true
		}
	}
	return contender{}, false
}
