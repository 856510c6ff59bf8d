package durable

import (
	"github.com/hookhouse/hookhouse/internal/bench/env"
	"github.com/hookhouse/hookhouse/internal/bench/receive"
)

// A measure is what an aim compares.
type measure struct {
	of     func(*row) []float64
	atMost bool // less is better
	byCPU  bool // processor time is another measure of the same
}

var (
	byRate = measure{byCPU: true, of: func(r *row) []float64 { return r.rate }}
	byTime = measure{byCPU: true, atMost: true, of: func(r *row) []float64 { return r.wall }}
	byP99  = measure{atMost: true, of: func(r *row) []float64 { return r.p99 }}
	byCPU  = measure{atMost: true, of: func(r *row) []float64 { return r.used }}
)

// aimsOf compares rows. It leaves out an aim if one of its rows was not measured.
func aimsOf(rows []*row) []env.Aim {
	var aims []env.Aim
	for _, a := range []struct {
		text          string
		m             measure
		want          float64
		name, against string
		senders       int
	}{
		{"64 senders, SQLite: acks/s, times INSERTs of each request's own", byRate, 2.2, sqliteOurs, sqlitePlain, 64},
		{"64 senders, SQLite: acks/s, share of the raw log's", byRate, 0.33, sqliteOurs, rawLog, 64},
		{"64 senders, SQLite: server CPU per push, times the raw log's", byCPU, 2.6, sqliteOurs, rawLog, 64},
		{"64 senders, SQLite: p99, times the raw log's", byP99, 2, sqliteOurs, rawLog, 64},
		{"64 senders, SQLite: acks/s, times go-playground from memory", byRate, 0.58, sqliteOurs, receive.Playground, 64},
		{"64 senders, SQLite: acks/s, times go-github from memory", byRate, 1, sqliteOurs, receive.GoGitHub, 64},
		{"64 senders, SQLite: acks/s, times goqite", byRate, 3, sqliteOurs, sqliteGoqite, 64},
		{"64 senders, PostgreSQL: acks/s, times INSERTs of each request's own", byRate, 1.3, postgresOurs, postgresPlain, 64},
		{"64 senders, PostgreSQL: acks/s, times one statement of each request's own", byRate, 1.3, postgresOurs, postgresAtOnce, 64},
		{"64 senders, PostgreSQL: acks/s, times River", byRate, 4, postgresOurs, postgresRiver, 64},
		{"64 senders, RabbitMQ: acks/s, share of a bare publish loop's", byRate, 0.7, rabbitOurs, rabbitPlain, 64},
		{"64 senders: acks/s of RabbitMQ, times the inbox on PostgreSQL", byRate, 1, rabbitOurs, postgresOurs, 64},
		{"a lone sender, SQLite: time, times that of INSERTs of its own", byTime, 1.1, sqliteOurs, sqlitePlain, 1},
		{"a lone sender, PostgreSQL: time, times that of INSERTs of its own", byTime, 1, postgresOurs, postgresPlain, 1},
		{"a lone sender, PostgreSQL: time, times that of one statement of its own", byTime, 1.1, postgresOurs, postgresAtOnce, 1},
	} {
		our, their := findRow(rows, a.name, a.senders), findRow(rows, a.against, a.senders)
		if our == nil || their == nil {
			continue
		}
		got := env.NewAim(a.text, a.m.atMost, a.want, env.Ratios(a.m.of(our), a.m.of(their)))
		used, theirs := env.Median(our.used), env.Median(their.used)
		switch {
		case !a.m.byCPU || used == 0 || theirs == 0:
		case a.m.atMost:
			got.CPU = used / theirs
		default:
			got.CPU = theirs / used
		}
		aims = append(aims, got)
	}
	return aims
}
