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

// A logLimit limits log lines that any request can cause. It allows one line for
// each subject in a given time, and counts the lines that it holds back. The zero
// value is ready to use. A logLimit is safe for concurrent use.
type logLimit struct {
	mu    sync.Mutex
	lines map[string]*lastLine // by subject
}

type lastLine struct {
	at   time.Time
	held int // lines held back since then
}

// allow reports whether a line about subject may be logged now, and returns the
// number of lines held back since the previous one.
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
