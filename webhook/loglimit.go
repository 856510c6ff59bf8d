package webhook

import (
	"sync"
	"time"
)

// maxSubjects bounds what a logLimit remembers: further subjects share one.
const maxSubjects = 64

// A logLimit keeps a line that any call can cause from flooding the log. It
// lets one line pass for each subject in the given time, and counts the lines
// that it holds back. The zero value is ready; it is safe for concurrent use.
type logLimit struct {
	mu    sync.Mutex
	lines map[string]*lastLine // by subject
}

type lastLine struct {
	at   time.Time
	held int // back since then
}

// pass reports whether a line about subject may be logged now, and how many
// were held back since the last one.
func (l *logLimit) pass(subject string, every time.Duration) (held int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	line := l.lines[subject]
	if line == nil && len(l.lines) >= maxSubjects {
		subject = ""
		line = l.lines[subject]
	}
	now := time.Now()
	if line == nil {
		if l.lines == nil {
			l.lines = make(map[string]*lastLine)
		}
		l.lines[subject] = &lastLine{at: now}
		return 0, true
	}
	if now.Sub(line.at) < every {
		line.held++
		return 0, false
	}
	held, line.at, line.held = line.held, now, 0
	return held, true
}
