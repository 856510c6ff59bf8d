package main

import (
	"fmt"
	"io"
)

// An aim is a ratio that the project set itself for the 8 KB push.
type aim struct {
	text   string
	atMost bool // got must not be above want; otherwise not below
	want   float64
	got    float64 // the median of the rounds' ratios, by the clock
	best   float64 // the ratio of each one's best round
	cpu    float64 // as got, in processor time; 0 where it is not known
	rest   float64 // as got, without the time of one bare SHA-256 on both sides; 0 for servers
	floor  float64 // what the floor under ours gets, as got: nobody can do better; 0 where the aim is about the floor
}

func (a aim) String() string {
	sign := "≥"
	if a.atMost {
		sign = "≤"
	}
	return fmt.Sprintf("| %s | %s %.2f | %.2f | %.2f | %.2f | %s | %s | %s |", a.text, sign, a.want, a.got, a.best, a.cpu, known(a.rest), known(a.floor), a.verdict())
}

// verdict goes by the clock, and is open where processor time says otherwise:
// then the machine was too busy to tell.
func (a aim) verdict() string {
	holds := func(got float64) bool { return got == a.want || (got < a.want) == a.atMost }
	switch {
	case a.cpu != 0 && holds(a.got) != holds(a.cpu):
		return "open"
	case holds(a.got):
		return "reached"
	default:
		return "missed"
	}
}

func known(figure float64) string {
	if figure == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", figure)
}

// cost compares times: how many times as long as b does a take. Hash is the
// bare SHA-256; limit stands in for ours to tell what could be had.
func cost(text string, atMost bool, want float64, a, b, hash, limit *bench) aim {
	got := aim{text: text, atMost: atMost, want: want,
		got:  ratio(a.ns(), b.ns()),
		best: quantile(a.ns(), 0) / quantile(b.ns(), 0),
		cpu:  ratio(a.cpu(), b.cpu()),
		rest: ratio(minus(a.ns(), hash.ns()), minus(b.ns(), hash.ns())),
	}
	switch {
	case limit == nil:
	case a.kind == ours:
		got.floor = ratio(limit.ns(), b.ns())
	default:
		got.floor = ratio(a.ns(), limit.ns())
	}
	return got
}

// raceAims are those of the handlers.
func raceAims(benches []*bench) []aim {
	at := func(name string) *bench { return find(benches, name) }
	best, hash := bestPeer(benches), at(bareHash)
	return []aim{
		cost("raw, as a multiple of the floor with the same read, MAC and scan", true, 1.15, at(oursRaw), at(floorRaw), hash, nil),
		cost("raw, times faster than go-playground", false, 5, at(peerPlayground), at(oursRaw), hash, at(floorRaw)),
		cost("raw, times faster than go-github", false, 5, at(peerGoGitHub), at(oursRaw), hash, at(floorRaw)),
		cost("typed with encoding/json, as a multiple of the best peer ("+best.name+")", true, 1, at(oursStd), best, hash, at(floorStd)),
		cost("typed with v2, times faster than go-playground", false, 2, at(peerPlayground), at(oursV2), hash, at(floorV2)),
		cost("typed with v2, times faster than go-github", false, 2, at(peerGoGitHub), at(oursV2), hash, at(floorV2)),
		cost("typed with v2, times faster than standard-webhooks", false, 2, at(peerStandard), at(oursV2), hash, at(floorV2)),
	}
}

// serverAims are those of the whole servers.
func serverAims(servers []*server) []aim {
	raw, best, limit := findServer(servers, oursRaw), bestServer(servers), findServer(servers, floorRaw)
	return []aim{{
		text: "whole server, raw: requests per second, times the best peer's (" + best.name + ")", want: 2.5,
		got:   ratio(raw.rps(), best.rps()),
		best:  quantile(raw.rps(), 1) / quantile(best.rps(), 1),
		cpu:   ratio(best.cpu(), raw.cpu()),
		floor: ratio(limit.rps(), best.rps()),
	}}
}

func printAims(w io.Writer, aims []aim) {
	fmt.Fprintln(w, "### Aims, on the 8 KB push")
	fmt.Fprintln(w)
	fmt.Fprintln(w, "| aim | wanted | got | by best rounds | by CPU time | less SHA-256 | its floor gets | |")
	fmt.Fprintln(w, "|---|--:|--:|--:|--:|--:|--:|---|")
	for _, a := range aims {
		fmt.Fprintln(w, a)
	}
}
