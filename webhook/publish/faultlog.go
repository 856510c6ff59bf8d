package publish

import (
	"log/slog"
	"sync"
	"time"
)

// faultInterval is how often the same fault is logged at most: while a database is away,
// every delivery finds it.
const faultInterval = 10 * time.Second

// A faultLog logs faults of the program itself, each kind once in faultInterval. It is safe
// for concurrent use.
type faultLog struct {
	mu    sync.Mutex
	kinds map[string]*faultCount // few: the kinds are constants
}

type faultCount struct {
	logged time.Time
	more   int // since then
}

func (l *faultLog) log(to *slog.Logger, what string, err error) {
	l.mu.Lock()
	if l.kinds == nil {
		l.kinds = make(map[string]*faultCount)
	}
	k := l.kinds[what]
	if k == nil {
		k = &faultCount{}
		l.kinds[what] = k
	}
	now := time.Now()
	if !k.logged.IsZero() && now.Sub(k.logged) < faultInterval {
		k.more++
		l.mu.Unlock()
		return
	}
	more := k.more
	k.logged, k.more = now, 0
	l.mu.Unlock()
	to.Error(what+"; what waits for it is put back and not counted", "reason", err, "not_logged", more)
}
