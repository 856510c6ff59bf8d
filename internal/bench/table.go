package main

import (
	"fmt"
	"io"
	"runtime"
)

// machine is what figures are read with.
func machine() string {
	return fmt.Sprintf("%s %s/%s, %d processors", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
}

// printRace writes the table of one body.
func printRace(w io.Writer, r race, benches []*bench) {
	fmt.Fprintf(w, "### %s (%d bytes)\n\n", r.body.name, len(r.body.text))
	fmt.Fprintln(w, "| contender | | median µs | min µs | spread | CPU µs | B/op | allocs/op | x its floor | faster than best peer |")
	fmt.Fprintln(w, "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|")
	best := bestPeer(benches)
	for _, b := range benches {
		toFloor, toPeer := "", ""
		if f := find(benches, b.against); f != nil {
			toFloor = fmt.Sprintf("%.2f", ratio(b.ns(), f.ns()))
		}
		if best != nil && b.kind != harness {
			toPeer = fmt.Sprintf("%.2f", ratio(best.ns(), b.ns()))
		}
		fmt.Fprintf(w, "| %s | %s | %.2f | %.2f | %.0f%% | %.2f | %.0f | %.0f | %s | %s |\n", b.name, b.kind,
			median(b.ns())/1e3, quantile(b.ns(), 0)/1e3, 100*spread(b.ns()), median(b.cpu())/1e3, b.bytes(), b.allocs(), toFloor, toPeer)
	}
	fmt.Fprintln(w)
}

// printServers writes the table of the whole servers.
func printServers(w io.Writer, pinned string, servers []*server) {
	fmt.Fprintf(w, "### A whole server, %s, %d connections, %s\n\n", realPush.name, connections, pinned)
	fmt.Fprintln(w, "| contender | | requests/s | most | spread | p50 ms | p99 ms | server CPU µs/request | x best peer's requests/s |")
	fmt.Fprintln(w, "|---|---|--:|--:|--:|--:|--:|--:|--:|")
	best := bestServer(servers)
	for _, s := range servers {
		fmt.Fprintf(w, "| %s | %s | %.0f | %.0f | %.0f%% | %.2f | %.2f | %.1f | %.2f |\n", s.name, s.kind,
			median(s.rps()), quantile(s.rps(), 1), 100*spread(s.rps()), median(s.p50()), median(s.p99()), median(s.cpu()), ratio(s.rps(), best.rps()))
	}
	fmt.Fprintln(w)
}
