package receive

import (
	"fmt"
	"io"

	"github.com/hookhouse/hookhouse/internal/bench/env"
)

// An aim is about the 8 KB push.
type aim struct {
	env.Aim
	rest  float64 // as Got, without the time of one bare SHA-256 on both sides; 0 for servers
	floor float64 // as Got, for the floor instead of ours: nothing is faster; 0 if the aim compares with the floor
}

// cost compares times: a as a multiple of b. The bare SHA-256 is hash, and limit
// is the floor, which is put in the place of ours.
func cost(text string, atMost bool, want float64, a, b, hash, limit *bench) aim {
	got := aim{Aim: env.NewAim(text, atMost, want, env.Ratios(a.ns, b.ns)),
		rest: env.Ratio(env.Minus(a.ns, hash.ns), env.Minus(b.ns, hash.ns))}
	got.Best = env.Quantile(a.ns, 0) / env.Quantile(b.ns, 0)
	got.CPU = env.Ratio(a.cpu, b.cpu)
	switch {
	case limit == nil:
	case a.Kind == Ours:
		got.floor = env.Ratio(limit.ns, b.ns)
	default:
		got.floor = env.Ratio(a.ns, limit.ns)
	}
	return got
}

// raceAims returns the aims of the handlers.
func raceAims(benches []*bench) []aim {
	at := func(name string) *bench { return find(benches, name) }
	best, hash := bestPeer(benches), at(bareHash)
	return []aim{
		cost("raw, as a multiple of the floor with the same read, MAC and scan", true, 1.2, at(oursRaw), at(floorRaw), hash, nil),
		cost("raw, times faster than go-playground", false, 5, at(Playground), at(oursRaw), hash, at(floorRaw)),
		cost("raw, times faster than go-github", false, 5, at(GoGitHub), at(oursRaw), hash, at(floorRaw)),
		cost("typed with encoding/json, as a multiple of the best peer ("+best.Name+")", true, 1, at(oursStd), best, hash, at(floorStd)),
		cost("typed with v2, times faster than go-playground", false, 2, at(Playground), at(oursV2), hash, at(floorV2)),
		cost("typed with v2, times faster than go-github", false, 2, at(GoGitHub), at(oursV2), hash, at(floorV2)),
		cost("typed with v2, times faster than standard-webhooks", false, 2, at(peerStandard), at(oursV2), hash, at(floorV2)),
	}
}

// serverAims returns the aims of the whole servers.
func serverAims(servers []*server) []aim {
	raw, best, limit := find(servers, oursRaw), bestPeer(servers), find(servers, floorRaw)
	got := aim{Aim: env.NewAim("whole server, raw: requests per second, times the best peer's ("+best.Name+")", false, 2.5, env.Ratios(raw.rps, best.rps)),
		floor: env.Ratio(limit.rps, best.rps)}
	got.Best = env.Quantile(raw.rps, 1) / env.Quantile(best.rps, 1)
	got.CPU = env.Ratio(best.cpu, raw.cpu)
	return []aim{got}
}

func printAims(w io.Writer, aims []aim) {
	env.Head(w, "Aims, on the 8 KB push", "aim", "wanted:", "got:", "by best rounds:", "by CPU time:", "less SHA-256:", "its floor gets:", "")
	for _, a := range aims {
		fmt.Fprintf(w, "| %s | %s | %.2f | %.2f | %.2f | %s | %s | %s |\n", a.Text, a.Wanted(), a.Got, a.Best, a.CPU, env.Known(a.rest), env.Known(a.floor), a.VerdictByCPU())
	}
}
