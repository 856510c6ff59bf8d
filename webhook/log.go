package webhook

import (
	"log/slog"
	"sync"
	"time"
)

// logger returns l, or slog.Default if l is nil.
func logger(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.Default()
	}
	return l
}

// maxSubjects bounds the subjects that a logLimit remembers. All further subjects
// share one.
const maxSubjects = 64

// A logLimit limits log lines that any request can cause. It allows a number of lines
// for each subject in a given time, and counts the lines that it holds back. The zero
// value is ready to use. A logLimit is safe for concurrent use.
type logLimit struct {
	burst int // lines in the given time; zero means 1

	mu    sync.Mutex
	lines map[string]*lastLine // by subject
}

type lastLine struct {
	at    time.Time // of the first line of the given time
	lines int       // allowed since then
	held  int       // lines held back that no caller knows of
}

// allow reports whether a line about subject may be logged now. It returns the number
// of lines held back since the last one that was allowed, with this one.
func (l *logLimit) allow(subject string, every time.Duration) (held int, ok bool) {
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
		l.lines[subject] = &lastLine{at: now, lines: 1}
		return 0, true
	}
	if now.Sub(line.at) >= every {
		line.at, line.lines = now, 0
	}
	if line.lines >= max(l.burst, 1) {
		line.held++
		return line.held, false
	}
	line.lines++
	held, line.held = line.held, 0
	return held, true
}

// takeHeld returns the number of lines about subject that were held back and that no
// caller knows of.
func (l *logLimit) takeHeld(subject string) (held int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if line := l.lines[subject]; line != nil {
		held, line.held = line.held, 0
	}
	return held
}
