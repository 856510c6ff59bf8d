package service

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// maxLine bounds a line of a stream. An update has up to 100 deliveries.
	maxLine = 4 << 20
	// quietFor is how long a stream may be quiet. A service sends a sign of life every 15 s.
	quietFor = 45 * time.Second
)

// An Update is what is new or has changed.
type Update struct {
	Deliveries []webhook.Record // in the order of the changes
	// Lost is true if changes are missing, because this client reads slowly or because more
	// were new than the service reads at a time: read the list.
	Lost bool
}

// A Stream is a live list. It has one reader.
type Stream struct {
	body  io.ReadCloser
	lines *bufio.Reader
	quiet *time.Timer
	stop  context.CancelCauseFunc
	ctx   context.Context
}

// errQuiet means that nothing came for quietFor, not even a sign of life.
var errQuiet = fmt.Errorf("%w: nothing came for %v, not even a sign of life", ErrUnavailable, quietFor)

// Live opens a stream of the deliveries that match f, which begins with the newest ones. It
// does not regard Limit and Before. The service ends it after five minutes. The caller calls
// Close.
func (c *Client) Live(ctx context.Context, f webhook.Filter) (*Stream, error) {
	ctx, stop := context.WithCancelCause(ctx)
	quiet := time.AfterFunc(quietFor, func() { stop(errQuiet) })
	resp, err := c.call(ctx, http.MethodGet, "api/live", queryOf(f), nil, kindLive)
	if err != nil {
		quiet.Stop()
		if cause := context.Cause(ctx); errors.Is(cause, errQuiet) {
			err = cause
		}
		stop(nil)
		return nil, err
	}
	return &Stream{body: resp.Body, lines: bufio.NewReader(resp.Body), quiet: quiet, stop: stop, ctx: ctx}, nil
}

// Next waits for an update. The error is io.EOF when the service has ended the stream. After
// an error there are no further updates.
func (s *Stream) Next() (Update, error) {
	for {
		line, err := s.line()
		if err != nil {
			return Update{}, err
		}
		// A service writes an event as one line.
		// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
		data, ok := bytes.CutPrefix(line, []byte("data:"))
		if !ok {
			continue
		}
		return parseUpdate(data)
	}
}

// line reads a line with its end.
func (s *Stream) line() (line []byte, err error) {
	for {
		part, err := s.lines.ReadSlice('\n')
		s.quiet.Reset(quietFor)
		line = append(line, part...)
		switch {
		case len(line) > maxLine:
			return nil, fmt.Errorf("%w: a line of its live list has more than %d bytes", ErrNotInspector, maxLine)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			return nil, io.EOF // half a line is no event
		case err != nil:
			if cause := context.Cause(s.ctx); cause != nil {
				err = cause
			}
			if errors.Is(err, ErrUnavailable) {
				return nil, err
			}
			return nil, unreachable(err)
		}
		return line, nil
	}
}

func parseUpdate(data []byte) (u Update, err error) {
	var said struct {
		Deliveries []record `json:"deliveries"`
		Dropped    int      `json:"dropped"`
		Missed     bool     `json:"missed"`
		Error      string   `json:"error"`
	}
	if err := json.Unmarshal(data, &said); err != nil {
		return u, fmt.Errorf("%w: an event of its live list is not JSON of the documented form", ErrNotInspector)
	}
	if said.Error != "" {
		return u, fmt.Errorf("%w: %s", ErrUnavailable, quoted(said.Error))
	}
	u.Lost = said.Dropped > 0 || said.Missed
	for _, r := range said.Deliveries {
		if err := r.check(); err != nil {
			return Update{}, err
		}
		u.Deliveries = append(u.Deliveries, r.record())
	}
	return u, nil
}

// Close ends the stream.
func (s *Stream) Close() {
	s.quiet.Stop()
	s.stop(nil)
	_ = s.body.Close()
}
