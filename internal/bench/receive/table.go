package receive

import (
	"fmt"
	"io"

	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/sender"
)

// printRace prints the table of one body.
func printRace(w io.Writer, r race, benches []*bench) {
	env.Head(w, fmt.Sprintf("%s (%d bytes)", r.body.Name, len(r.body.Text)),
		"implementation", "", "median µs:", "min µs:", "spread:", "CPU µs:", "B/op:", "allocs/op:", "x its floor:", "faster than best peer:")
	best := bestPeer(benches)
	for _, b := range benches {
		toFloor, toPeer := "", ""
		if f := find(benches, b.against); f != nil {
			toFloor = fmt.Sprintf("%.2f", env.Ratio(b.ns(), f.ns()))
		}
		if best != nil && b.Kind != Harness {
			toPeer = fmt.Sprintf("%.2f", env.Ratio(best.ns(), b.ns()))
		}
		fmt.Fprintf(w, "| %s | %s | %.2f | %.2f | %.0f%% | %.2f | %.0f | %.0f | %s | %s |\n", b.Name, b.Kind,
			env.Median(b.ns())/1e3, env.Quantile(b.ns(), 0)/1e3, env.Spread(b.ns()), env.Median(b.cpu())/1e3, b.bytes(), b.allocs(), toFloor, toPeer)
	}
	fmt.Fprintln(w)
}

// printServers prints the table of the whole servers.
func printServers(w io.Writer, servers []*server) {
	env.Head(w, fmt.Sprintf("A whole server, %s, %d connections, %s", sender.RealPush.Name, connections, env.Placement()),
		"implementation", "", "requests/s:", "best:", "spread:", "p50 ms:", "p99 ms:", "server CPU µs/request:", "x best peer's requests/s:")
	best := bestServer(servers)
	for _, s := range servers {
		fmt.Fprintf(w, "| %s | %s | %.0f | %.0f | %.0f%% | %.2f | %.2f | %.1f | %.2f |\n", s.Name, s.Kind,
			env.Median(s.rps()), env.Quantile(s.rps(), 1), env.Spread(s.rps()), env.Median(s.p50()), env.Median(s.p99()), env.Median(s.cpu()), env.Ratio(s.rps(), best.rps()))
	}
	fmt.Fprintln(w)
}
