package jobserv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// maxError is how much of an error answer is looked at.
const maxError = 64 << 10

// Log returns the console log of a run as a stream; close it. It is text in
// whatever encoding the run wrote. The stream ends with [ErrTooLarge] after
// MaxLog, and with context.DeadlineExceeded if nothing comes for Timeout; the
// time that the caller takes between reads does not count. Ending ctx breaks it
// off.
func (c *Client) Log(ctx context.Context, r Run) (io.ReadCloser, error) {
	resp, err := c.openLog(ctx, r, nil)
	if err != nil {
		return nil, fmt.Errorf("jobserv: log of run %q: %w", r.Name, err)
	}
	return resp.Body, nil
}

// LogTail returns the end of the console log of a run: its last n bytes at
// most, from the beginning of a line on unless the last line alone is longer.
// It asks for that part only; from a server that sends all it reads all, up to
// MaxLog, and holds a small multiple of n bytes in memory. For an n that is not
// positive it returns nothing, and more than 512 MiB it never does.
func (c *Client) LogTail(ctx context.Context, r Run, n int) ([]byte, error) {
	if n <= 0 {
		return nil, nil
	}
	tail, err := c.logTail(ctx, r, int(min(int64(n), c.maxLog(), math.MaxInt32/4)))
	if err != nil {
		return nil, fmt.Errorf("jobserv: log of run %q: %w", r.Name, err)
	}
	return tail, nil
}

func (c *Client) logTail(ctx context.Context, r Run, n int) ([]byte, error) {
	// One byte more tells whether the cut fell on the beginning of a line.
	resp, err := c.openLog(ctx, r, http.Header{"Range": {"bytes=-" + strconv.Itoa(n+1)}})
	var status *StatusError
	if errors.As(err, &status) && status.Code == http.StatusRequestedRangeNotSatisfiable {
		return nil, nil // an empty log has no last byte
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	kept, err := lastBytes(resp.Body, n+1)
	if err != nil {
		return nil, err
	}
	if len(kept) <= n {
		return kept, nil
	}
	if i := bytes.IndexByte(kept, '\n'); i >= 0 && i < len(kept)-1 {
		return kept[i+1:], nil
	}
	return kept[1:], nil
}

// lastBytes reads r to its end and returns the last n bytes.
func lastBytes(r io.Reader, n int) ([]byte, error) {
	const chunk = 32 << 10
	var kept []byte
	buf := make([]byte, chunk)
	for {
		got, err := r.Read(buf)
		kept = append(kept, buf[:got]...)
		if len(kept) > 2*n+chunk || err != nil {
			kept = append(kept[:0], kept[max(len(kept)-n, 0):]...)
		}
		if err == io.EOF {
			return kept, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// openLog returns an answer of status 200 or 206 whose body is a logStream.
func (c *Client) openLog(ctx context.Context, r Run, header http.Header) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &logStream{ctx: ctx, cancel: cancel, wait: c.timeout(), left: c.maxLog()}
	s.timer = time.AfterFunc(s.wait, func() { cancel(context.DeadlineExceeded) })
	resp, err := c.open(ctx, r.Log(), true, header)
	if err != nil {
		s.stop()
		return nil, err
	}
	s.body = resp.Body
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusPartialContent {
		defer func() { _ = s.Close() }()
		text, _ := io.ReadAll(io.LimitReader(s, maxError)) // the status says enough
		return nil, statusError(resp.StatusCode, text)
	}
	s.timer.Stop()
	resp.Body = s
	return resp, nil
}

func (c *Client) maxLog() int64 { return bound(c.MaxLog, defaultMaxLog) }

// bound returns a limit, or instead where none is set. One is kept small enough
// to be added to.
func bound(limit, instead int64) int64 {
	if limit <= 0 {
		return instead
	}
	return min(limit, math.MaxInt64-1)
}

// A logStream is a body with a bound on its size and on each wait.
type logStream struct {
	ctx    context.Context //nolint:containedctx // to tell why a read failed
	cancel context.CancelCauseFunc
	timer  *time.Timer
	wait   time.Duration
	body   io.ReadCloser
	left   int64
	closed sync.Once
}

func (s *logStream) Read(p []byte) (int, error) {
	if s.left < 0 {
		return 0, ErrTooLarge
	}
	// One byte more than is left tells a log of exactly that size from a larger.
	p = p[:min(int64(len(p)), s.left+1)]
	s.timer.Reset(s.wait)
	n, err := s.body.Read(p)
	s.timer.Stop()
	if s.left -= int64(n); s.left < 0 {
		return n - 1, ErrTooLarge
	}
	if err != nil && err != io.EOF {
		err = causeOf(s.ctx, err)
	}
	return n, err
}

// Close ends the call. It may be called twice.
func (s *logStream) Close() error {
	var err error
	s.closed.Do(func() {
		err = s.body.Close()
		s.stop()
	})
	return err
}

func (s *logStream) stop() {
	s.timer.Stop()
	s.cancel(nil)
}
