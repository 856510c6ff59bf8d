package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// logs are the files with what builds said, one for each.
type logs struct {
	dir   string
	limit int64 // of one file in bytes

	mu      sync.Mutex
	live    map[string]bool
	changed chan struct{} // closed at the next change of any log
}

func newLogs(dir string, limit int64) *logs {
	return &logs{dir: dir, limit: limit, live: make(map[string]bool), changed: make(chan struct{})}
}

// file is the path for a build. The id comes from the inbox, or from a request
// after it was looked up.
func (l *logs) file(build string) string { return filepath.Join(l.dir, build+".log") }

// watch reports whether the build writes at present, and returns a channel that
// is closed at the next change from the call on.
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

// open opens the log of a build at its end: a second run goes on in it.
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
	return &buildLog{logs: l, build: build, file: f, left: l.limit - info.Size()}, nil
}

// forget removes the log of a build.
func (l *logs) forget(build string) error { return os.Remove(l.file(build)) }

// A buildLog is written by one build. It is safe for concurrent use.
type buildLog struct {
	logs  *logs
	build string

	mu      sync.Mutex
	file    *os.File
	left    int64
	cut     bool
	midLine bool
}

// Write keeps what there is room for. It never fails: a command is not to die of
// a full disk or a full log.
func (b *buildLog) Write(p []byte) (int, error) {
	b.mu.Lock()
	kept := p[:max(0, min(int64(len(p)), b.left))]
	b.write(kept)
	b.left -= int64(len(kept))
	tell := len(kept) < len(p) && !b.cut
	b.cut = b.cut || tell
	b.mu.Unlock()
	if tell {
		b.say("the log has %d bytes: the rest is left out", b.logs.limit)
	}
	b.logs.notify()
	return len(p), nil
}

// say writes a line of our own, also into a log that is full.
func (b *buildLog) say(format string, args ...any) {
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

// close brings the log to the disk and ends it.
func (b *buildLog) close() {
	_ = b.file.Sync()
	_ = b.file.Close()
	b.logs.setLive(b.build, false)
	b.logs.notify()
}

// read returns at most n bytes of a log from offset on, and the offset after
// them: none at its end, or where there is no log yet.
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

// size returns how long a log is; zero where there is none.
func (l *logs) size(build string) int64 {
	info, err := os.Stat(l.file(build))
	if err != nil {
		return 0
	}
	return info.Size()
}
