package model

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A clientState is what the run knows of a client.
type clientState struct {
	client *client
	pauses []*pause
	since  time.Time // of its last event
	idle   bool
	done   bool
}

// busy reports whether the client runs and is not paused.
func (s *clientState) busy() bool { return !s.done && !s.idle && len(s.pauses) == 0 }

// A pause is before a statement of a server process, or before an operation.
type pause struct {
	client  *client
	what    string
	pid     uint32
	phase   phase
	step    *step
	resumed chan struct{}
}

func (s *pause) isOperation() bool { return s.pid == 0 }

type phase int

const (
	paused phase = iota
	executing
	blocked
)

// An event is sent by a client when it pauses and when the paused statement has
// returned. Without a pause it has the result of an operation, or says that the
// client is done.
type event struct {
	client *client
	pause  *pause
	done   bool
	result string
}

// A step is one line of the trace.
type step struct {
	client  string
	what    string
	waited  bool
	result  string
	pending bool
}

func formatTrace(trace []*step) string {
	var b strings.Builder
	for n, l := range trace {
		fmt.Fprintf(&b, "%4d %s %s", n, l.client, l.what)
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

func (s *clientState) drop(gone *pause) {
	s.pauses = slices.DeleteFunc(s.pauses, func(s *pause) bool { return s == gone })
}
