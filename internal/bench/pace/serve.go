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

// A Slice is the result of some operations in a row.
type Slice struct {
	Done int           // operations; zero once all are done, and in the first line, which says that the store is ready
	Took time.Duration // by the clock
	CPU  time.Duration // processor time of this process
}

// Serve measures m on an empty store. Once it has made the store ready, and then
// for each line that it reads, it writes a Slice as a line of JSON. When its input
// ends it checks that the store holds what it must.
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
	if err := fillRows(ctx, inbox, m.Rows); err != nil {
		return err
	}
	results := json.NewEncoder(out)
	if err := results.Encode(Slice{}); err != nil {
		return err
	}
	done, slice := 0, 0
	for lines := bufio.NewScanner(in); lines.Scan(); slice++ {
		var s Slice
		if n := m.next(slice, done); n > 0 {
			runtime.GC()
			start, used := time.Now(), ProcessTime()
			if s.Done, err = m.run(ctx, inbox, done, n); err != nil {
				return err
			}
			s.Took, s.CPU = time.Since(start), ProcessTime()-used
			done += s.Done
		}
		if err := results.Encode(s); err != nil {
			return err
		}
	}
	return m.check(ctx, inbox, done)
}
