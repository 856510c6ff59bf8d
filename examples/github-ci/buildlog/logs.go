package buildlog

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Logs is a folder with one file for each build. It is safe for concurrent use.
type Logs struct {
	dir     string
	limit   int64 // maximum size of what a build writes, in bytes
	secrets [][]byte
	streams chan struct{} // has a value for each open stream

	mu      sync.Mutex
	entries map[string]*entry // of logs that are open for writing or have readers
}

// An entry is a log that is open for writing or has readers.
type entry struct {
	live    bool // open for writing
	readers int
	changed chan struct{} // closed at the next change
}

// New returns the Logs of an existing folder. A build may write limit bytes. The secrets,
// none of which may be empty, are hidden.
func New(dir string, limit int64, secrets [][]byte) *Logs {
	return &Logs{dir: dir, limit: limit, secrets: secrets, streams: make(chan struct{}, maxStreams), entries: make(map[string]*entry)}
}

// file returns the path of a log. The build must be a valid file name: it comes from the
// inbox, or was looked up if it comes from a request.
func (l *Logs) file(build string) string { return filepath.Join(l.dir, build+".log") }

// Remove removes the log of a build. It is no error if there is none.
func (l *Logs) Remove(build string) error {
	if err := os.Remove(l.file(build)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Tail returns at most the last n bytes of a log and the offset after them. cut reports
// whether there are bytes before. There are no bytes if there is no log yet.
func (l *Logs) Tail(build string, n int64) (text []byte, next int64, cut bool, err error) {
	var size int64
	if info, err := os.Stat(l.file(build)); err == nil {
		size = info.Size()
	}
	from := max(0, size-n)
	text, next, err = l.read(build, from, n)
	return text, next, from > 0, err
}

// read returns at most n bytes of a log from offset, and the offset after them. It returns
// no bytes at the end of the log or if there is no log yet.
func (l *Logs) read(build string, offset, n int64) ([]byte, int64, error) {
	f, err := os.Open(l.file(build))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, offset, nil
	}
	if err != nil {
		return nil, offset, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, offset, n))
	return text, offset + int64(len(text)), err
}

// update changes the entry of a log, which it makes if there is none.
func (l *Logs) update(build string, change func(e *entry)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[build]
	if e == nil {
		e = &entry{changed: make(chan struct{})}
		l.entries[build] = e
	}
	change(e)
	if !e.live && e.readers == 0 {
		delete(l.entries, build)
	}
}

// notify wakes up the readers of one log.
func (e *entry) notify() {
	if e.readers > 0 {
		close(e.changed)
		e.changed = make(chan struct{})
	}
}

// attach adds a reader to a log. detach removes it again.
func (l *Logs) attach(build string) (detach func()) {
	l.update(build, func(e *entry) { e.readers++ })
	return func() { l.update(build, func(e *entry) { e.readers-- }) }
}

// watch reports whether the log is open for writing, and returns a channel that is closed
// at its next change. The caller is attached to the log.
func (l *Logs) watch(build string) (live bool, changed <-chan struct{}) {
	l.update(build, func(e *entry) { live, changed = e.live, e.changed })
	return live, changed
}
