package main

import (
	"fmt"
	"io"
)

// A keptAim is a ratio that the project set itself for durable answers.
type keptAim struct {
	text   string
	atMost bool // got must not be above want; otherwise not below
	want   float64
	got    float64 // the median of the passes' ratios, by the clock
	low    float64 // the quartiles of them
	high   float64
	cpu    float64 // as got, in processor time of server and database; 0 where it is not known
}

func (a keptAim) String() string {
	sign := "≥"
	if a.atMost {
		sign = "≤"
	}
	return fmt.Sprintf("| %s | %s %.2f | %.2f | %.2f–%.2f | %s | %s |", a.text, sign, a.want, a.got, a.low, a.high, known(a.cpu), a.verdict())
}

// verdict is the clock's: where the disk decides, processor time is not the
// same.
func (a keptAim) verdict() string {
	if a.got == a.want || (a.got < a.want) == a.atMost {
		return "reached"
	}
	return "missed"
}

// A measure is what an aim compares.
type measure struct {
	of     func(*keepRow) []float64
	atMost bool // less is better
	byCPU  bool // processor time can stand in for it
}

var (
	byRate = measure{byCPU: true, of: (*keepRow).rate}
	byTime = measure{byCPU: true, atMost: true, of: func(r *keepRow) []float64 {
		return r.figures(func(k keepRun) float64 { return 1 / k.Rate })
	}}
	byP99 = measure{atMost: true, of: (*keepRow).p99}
)

// keptAims compares rows; an aim about a row that was not measured is left out.
func keptAims(rows []*keepRow) []keptAim {
	var aims []keptAim
	for _, a := range []struct {
		text          string
		m             measure
		want          float64
		name, against string
		senders       int
	}{
		{"64 senders, SQLite: acks/s, times INSERTs of each request's own", byRate, 2.2, keepSQLite, keepSQLitePlain, 64},
		{"64 senders, SQLite: acks/s, share of the raw log's", byRate, 0.55, keepSQLite, keepLog, 64},
		{"64 senders, SQLite: p99, times the raw log's", byP99, 2, keepSQLite, keepLog, 64},
		{"64 senders, SQLite: acks/s, times go-playground from memory", byRate, 1, keepSQLite, peerPlayground, 64},
		{"64 senders, SQLite: acks/s, times go-github from memory", byRate, 1, keepSQLite, peerGoGitHub, 64},
		{"64 senders, SQLite: acks/s, times goqite", byRate, 1, keepSQLite, keepGoqite, 64},
		{"64 senders, PostgreSQL: acks/s, times INSERTs of each request's own", byRate, 1.3, keepPostgres, keepPostgresPlain, 64},
		{"64 senders, PostgreSQL: acks/s, times one statement of each request's own", byRate, 1.3, keepPostgres, keepPostgresOne, 64},
		{"64 senders, PostgreSQL: acks/s, times River", byRate, 1, keepPostgres, keepRiver, 64},
		{"a lone sender, SQLite: time, times that of INSERTs of its own", byTime, 1, keepSQLite, keepSQLitePlain, 1},
		{"a lone sender, PostgreSQL: time, times that of INSERTs of its own", byTime, 1, keepPostgres, keepPostgresPlain, 1},
		{"a lone sender, PostgreSQL: time, times that of one statement of its own", byTime, 1, keepPostgres, keepPostgresOne, 1},
	} {
		our, their := findKept(rows, a.name, a.senders), findKept(rows, a.against, a.senders)
		if our == nil || their == nil {
			continue
		}
		each := ratios(a.m.of(our), a.m.of(their))
		got := keptAim{text: a.text, atMost: a.m.atMost, want: a.want, got: median(each), low: quantile(each, 0.25), high: quantile(each, 0.75)}
		used, theirs := median(our.processors()), median(their.processors())
		switch {
		case !a.m.byCPU || used == 0 || theirs == 0:
		case a.m.atMost:
			got.cpu = used / theirs
		default:
			got.cpu = theirs / used
		}
		aims = append(aims, got)
	}
	return aims
}

func printKeptAims(w io.Writer, of string, aims []keptAim) {
	if len(aims) == 0 {
		return
	}
	fmt.Fprintf(w, "### Aims of %s\n", of)
	fmt.Fprintln(w)
	fmt.Fprintln(w, "| aim | wanted | got | quartiles | by CPU time | |")
	fmt.Fprintln(w, "|---|--:|--:|--:|--:|---|")
	for _, a := range aims {
		fmt.Fprintln(w, a)
	}
	fmt.Fprintln(w)
}
