package model

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A seat is what the run knows of a player.
type seat struct {
	player *player
	stops  []*stop
	since  time.Time // of its last event
	asleep bool
	over   bool
}

// busy reports whether the player is between two stops.
func (s *seat) busy() bool { return !s.over && !s.asleep && len(s.stops) == 0 }

// A stop is before a statement, or before an operation: then it has no process.
type stop struct {
	player  *player
	what    string
	pid     uint32
	phase   phase
	line    *line
	granted chan struct{}
}

func (s *stop) isOperation() bool { return s.pid == 0 }

type phase int

const (
	parked phase = iota
	executing
	blocked
)

// An event is what a player tells: of a stop that it has come to, or left with a
// result. Without a stop it tells what came of an operation, or of all.
type event struct {
	player *player
	stop   *stop
	done   bool
	result string
}

// A line is one step, as printed.
type line struct {
	player  string
	what    string
	waited  bool
	result  string
	pending bool
}

func printTrace(trace []*line) string {
	var b strings.Builder
	for n, l := range trace {
		fmt.Fprintf(&b, "%4d %s %s", n, l.player, l.what)
		if l.waited {
			b.WriteString(" (waits for a lock)")
		}
		switch {
		case l.pending:
			b.WriteString(" ... no answer")
		case l.result != "":
			b.WriteString(" = " + l.result)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func (s *seat) drop(gone *stop) {
	s.stops = slices.DeleteFunc(s.stops, func(s *stop) bool { return s == gone })
}
