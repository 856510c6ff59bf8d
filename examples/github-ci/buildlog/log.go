package buildlog

import (
	"fmt"
	"os"
	"sync"
	"time"
)

// ownLine begins each line of the program itself.
const ownLine = "[github-ci] "

// A Log is a log that is open for writing. It is safe for concurrent use.
type Log struct {
	logs  *Logs
	build string

	mu        sync.Mutex
	file      *os.File
	mask      mask
	remaining int64
	truncated bool
	midLine   bool
}

// Open opens the log of a build for appending. Close it.
func (l *Logs) Open(build string) (*Log, error) {
	f, err := os.OpenFile(l.file(build), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	l.update(build, func(e *entry) { e.live = true; e.notify() })
	return &Log{logs: l, build: build, file: f, mask: newMask(l.secrets), remaining: l.limit - info.Size()}, nil
}

// Write writes as much of p as the log has room for. It never fails, so that a full disk
// or a full log does not stop a command. It keeps back an end that may be the begin of a
// secret.
func (b *Log) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.remaining > 0 {
		b.limited(b.mask.next(p))
	} else if len(p) > 0 {
		b.truncate()
	}
	return len(p), nil
}

// Printf writes a line of the program itself, even if the log is full.
func (b *Log) Printf(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limited(b.mask.rest())
	b.printf(format, args...)
}

// Close syncs the log to disk and closes it.
func (b *Log) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limited(b.mask.rest())
	_ = b.file.Sync()
	_ = b.file.Close()
	b.logs.update(b.build, func(e *entry) { e.live = false; e.notify() })
}

// limited writes output of the build, up to the limit.
func (b *Log) limited(p []byte) {
	kept := p[:max(0, min(int64(len(p)), b.remaining))]
	b.write(kept)
	b.remaining -= int64(len(kept))
	if len(kept) < len(p) {
		b.truncate()
	}
}

func (b *Log) truncate() {
	if !b.truncated {
		b.truncated = true
		b.printf("log truncated at %d bytes", b.logs.limit)
	}
}

func (b *Log) printf(format string, args ...any) {
	if b.midLine {
		b.write([]byte("\n"))
	}
	b.mask.inLine = false
	b.write(fmt.Appendf(nil, ownLine+"%s "+format+"\n", append([]any{time.Now().UTC().Format(time.TimeOnly)}, args...)...))
}

func (b *Log) write(p []byte) {
	if len(p) > 0 {
		_, _ = b.file.Write(p)
		b.midLine = p[len(p)-1] != '\n'
		b.logs.update(b.build, func(e *entry) { e.notify() })
	}
}
