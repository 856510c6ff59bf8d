package pace

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"time"
)

// A Slice is what some operations at a stretch gave.
type Slice struct {
	Done int           // operations; zero once all are done, and for the line that tells that the store is ready
	Took time.Duration // by the clock
	CPU  time.Duration // processor time of this process
}

// Serve measures m on an empty store. When that is ready, and then for each line
// that it reads, it writes a Slice as a line of JSON. When its input ends it
// checks that the store holds what it must.
func (m Metric) Serve(ctx context.Context, e Engine, dsn string, in io.Reader, out io.Writer) (err error) {
	db, inbox, err := e.Open(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, inbox.Close(), db.Close()) }()
	if m.fill != nil {
		if err := m.fill(ctx, inbox, m.Ops); err != nil {
			return err
		}
	}
	tell := json.NewEncoder(out)
	if err := tell.Encode(Slice{}); err != nil {
		return err
	}
	done := 0
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var s Slice
		if n := min(m.Slice, m.Ops-done); n > 0 {
			runtime.GC()
			start, used := time.Now(), ProcessTime()
			if s.Done, err = m.do(ctx, inbox, done, n); err != nil {
				return err
			}
			s.Took, s.CPU = time.Since(start), ProcessTime()-used
			done += s.Done
		}
		if err := tell.Encode(s); err != nil {
			return err
		}
	}
	return m.check(ctx, inbox, done)
}
