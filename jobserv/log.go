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

	"github.com/hookhouse/hookhouse/internal/api"
)

// maxError is the number of bytes read from an error answer.
const maxError = 64 << 10

// Log returns a stream of the console log of a run, which the caller must
// close. The text is in the encoding that the run wrote.
//
// Read returns [ErrTooLarge] after MaxLog bytes, and context.DeadlineExceeded
// if no data arrives for Timeout. The time between calls of Read does not
// count. Canceling ctx ends the stream.
func (c *Client) Log(ctx context.Context, r Run) (io.ReadCloser, error) {
	resp, err := c.openLog(ctx, r, nil)
	if err != nil {
		return nil, fmt.Errorf("jobserv: log of run %q: %w", r.Name, err)
	}
	return resp.Body, nil
}

// LogTail returns up to n bytes from the end of the console log of a run. The
// result starts at the beginning of a line, unless the last line alone is
// longer than n. If n is not positive, LogTail returns nil. It limits n to
// MaxLog or 512 MiB, whichever is smaller.
//
// LogTail requests only that part of the log. If the server sends all of it,
// LogTail reads all of it, up to MaxLog, and uses memory of a small multiple of
// n.
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
	// The byte before the tail shows whether the tail starts at a line's
	// beginning.
	resp, err := c.openLog(ctx, r, http.Header{"Range": {"bytes=-" + strconv.Itoa(n+1)}})
	if status, ok := errors.AsType[*StatusError](err); ok && status.Code == http.StatusRequestedRangeNotSatisfiable {
		return nil, nil // the log is empty
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

// lastBytes reads r to its end and returns up to n of the last bytes.
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

// openLog returns an answer with status 200 or 206 whose body is a logStream.
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
		text, _ := io.ReadAll(io.LimitReader(s, maxError)) // the status suffices
		return nil, statusError(resp.StatusCode, text)
	}
	s.timer.Stop()
	resp.Body = s
	return resp, nil
}

// maxLog is less than math.MaxInt64, so that the caller can add 1.
func (c *Client) maxLog() int64 {
	return min(api.OrDefault(c.MaxLog, defaultMaxLog), math.MaxInt64-1)
}

// A logStream is a body with a limit on its size and on each wait for data.
type logStream struct {
	ctx    context.Context //nolint:containedctx // for the error of a failed read
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
	// Read one byte more than allowed, to detect a log that is too large.
	p = p[:min(int64(len(p)), s.left+1)]
	s.timer.Reset(s.wait)
	n, err := s.body.Read(p)
	s.timer.Stop()
	if s.left -= int64(n); s.left < 0 {
		return n - 1, ErrTooLarge
	}
	if err != nil && err != io.EOF {
		err = api.ContextError(s.ctx, err)
	}
	return n, err
}

// Close ends the call. Further calls have no effect.
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
