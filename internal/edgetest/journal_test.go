package edgetest

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// A journal is a file that several processes write, a line at a time. A line that was
// written before another one, by whichever process, is before it in the file, and it is there
// even if its process is killed right after. It is safe for concurrent use.
type journal struct{ file *os.File }

// openJournal opens a journal, and creates it if it does not exist.
func openJournal(name string) (*journal, error) {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
	return &journal{f}, err
}

// write appends one line. A test cannot go on if that fails.
func (j *journal) write(words ...string) {
	if _, err := j.file.WriteString(strings.Join(words, " ") + "\n"); err != nil {
		panic(err)
	}
}

// follow passes each line to read, in order, until stop is called. Stop returns when all
// lines that were written before have been read.
func (j *journal) follow(read func(line string)) (stop func() error) {
	var all sync.WaitGroup
	end := make(chan struct{})
	var failed error
	all.Go(func() {
		r := &lines{from: io.NewSectionReader(j.file, 0, 1<<62), read: read}
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for failed == nil {
			select {
			case <-tick.C:
				failed = r.readAll()
			case <-end:
				failed = r.readAll()
				return
			}
		}
	})
	return sync.OnceValue(func() error {
		close(end)
		all.Wait()
		return errors.Join(failed, j.file.Close())
	})
}

// lines splits what from has into lines.
type lines struct {
	from io.Reader
	read func(line string)
	rest []byte // of a line whose end is not there yet
}

// readAll reads up to the present end.
func (l *lines) readAll() error {
	buf := make([]byte, 64<<10)
	for {
		n, err := l.from.Read(buf)
		l.rest = append(l.rest, buf[:n]...)
		for {
			line, rest, found := bytes.Cut(l.rest, []byte("\n"))
			if !found {
				break
			}
			l.read(string(line))
			l.rest = rest
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
