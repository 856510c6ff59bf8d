package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// logs holds the log files of builds, one file for each build.
type logs struct {
	dir   string
	limit int64 // maximum size of one file in bytes

	mu      sync.Mutex
	live    map[string]bool // the builds whose log is open for writing
	changed chan struct{}   // closed at the next change of any log
}

func newLogs(dir string, limit int64) *logs {
	return &logs{dir: dir, limit: limit, live: make(map[string]bool), changed: make(chan struct{})}
}

// file returns the path of a build's log. The id must come from the inbox, or
// must have been looked up if it comes from a request.
func (l *logs) file(build string) string { return filepath.Join(l.dir, build+".log") }

// watch reports whether the build's log is open for writing, and returns a
// channel that is closed at the next change after the call.
func (l *logs) watch(build string) (live bool, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.live[build], l.changed
}

func (l *logs) notify() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *logs) setLive(build string, live bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if live {
		l.live[build] = true
	} else {
		delete(l.live, build)
	}
}

// open opens the log of a build for appending, so all runs share one log.
func (l *logs) open(build string) (*buildLog, error) {
	f, err := os.OpenFile(l.file(build), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	l.setLive(build, true)
	return &buildLog{logs: l, build: build, file: f, remaining: l.limit - info.Size()}, nil
}

// remove removes the log of a build.
func (l *logs) remove(build string) error { return os.Remove(l.file(build)) }

// A buildLog writes the log of one build. It is safe for concurrent use.
type buildLog struct {
	logs  *logs
	build string

	mu        sync.Mutex
	file      *os.File
	remaining int64
	truncated bool
	midLine   bool
}

// Write writes as much of p as the log has room for. It never fails, so that a
// full disk or a full log does not stop a command.
func (b *buildLog) Write(p []byte) (int, error) {
	b.mu.Lock()
	kept := p[:max(0, min(int64(len(p)), b.remaining))]
	b.write(kept)
	b.remaining -= int64(len(kept))
	nowTruncated := len(kept) < len(p) && !b.truncated
	b.truncated = b.truncated || nowTruncated
	b.mu.Unlock()
	if nowTruncated {
		b.printf("log truncated at %d bytes", b.logs.limit)
	}
	b.logs.notify()
	return len(p), nil
}

// printf writes a line of github-ci itself, even if the log is full.
func (b *buildLog) printf(format string, args ...any) {
	b.mu.Lock()
	if b.midLine {
		b.write([]byte("\n"))
	}
	b.write(fmt.Appendf(nil, "[github-ci] %s "+format+"\n", append([]any{time.Now().UTC().Format(time.TimeOnly)}, args...)...))
	b.mu.Unlock()
	b.logs.notify()
}

func (b *buildLog) write(p []byte) {
	if len(p) > 0 {
		_, _ = b.file.Write(p)
		b.midLine = p[len(p)-1] != '\n'
	}
}

// close syncs the log to disk and closes it.
func (b *buildLog) close() {
	_ = b.file.Sync()
	_ = b.file.Close()
	b.logs.setLive(b.build, false)
	b.logs.notify()
}

// read returns at most n bytes of a log from offset, and the offset after them.
// It returns no bytes at the end of the log or if there is no log yet.
func (l *logs) read(build string, offset, n int64) ([]byte, int64, error) {
	f, err := os.Open(l.file(build))
	if os.IsNotExist(err) {
		return nil, offset, nil
	}
	if err != nil {
		return nil, offset, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, offset, n))
	return text, offset + int64(len(text)), err
}

// size returns the size of a log in bytes, or 0 if there is none.
func (l *logs) size(build string) int64 {
	info, err := os.Stat(l.file(build))
	if err != nil {
		return 0
	}
	return info.Size()
}
