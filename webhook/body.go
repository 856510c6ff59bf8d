package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// inOnePiece is the largest body that is given all the room it announced once its
// first chunk is there. A larger one, and one that announced nothing, grows by
// steps.
const inOnePiece = 256 << 10

// readBody reads the whole body into a buffer of its own, at most limit bytes.
// It charges paid, which the caller releases, on error too.
func readBody(r *http.Request, limit int64, budget *Budget, paid *charge) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, fmt.Errorf("%w: %d bytes announced, %d allowed", ErrTooLarge, r.ContentLength, limit)
	}
	// One byte more than may come, so that the end is seen without growing.
	most := limit + 1
	if r.ContentLength >= 0 {
		most = r.ContentLength + 1
	}
	if r.Body == nil {
		return nil, cutShort(r, 0)
	}
	size := min(most, firstChunk)
	if err := paid.begin(r.Context(), budget, size); err != nil {
		return nil, err
	}
	buf := make([]byte, 0, size)
	for {
		n, err := r.Body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > limit:
			return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
		case err == io.EOF:
			return buf, cutShort(r, len(buf))
		case err != nil:
			return nil, readError(err)
		case int64(len(buf)) == most:
			return nil, fmt.Errorf("%w: more than the %d bytes announced", ErrMalformed, r.ContentLength)
		case int64(len(buf)) == size:
			before := size
			size = min(most, before*growth)
			if 0 <= r.ContentLength && r.ContentLength <= inOnePiece {
				size = most
			}
			if err := paid.grow(size); err != nil {
				return nil, err
			}
			buf = append(make([]byte, 0, size), buf...)
			paid.giveBack(before)
		}
	}
}

// cutShort refuses a body that ended in good order before what was announced had
// come. A sender that breaks off cannot do that; the program can, and then what is
// left is not what was sent.
func cutShort(r *http.Request, got int) error {
	if int64(got) < r.ContentLength {
		return fmt.Errorf("webhook: the body ended after %d of %d bytes: %s", got, r.ContentLength, readBefore)
	}
	return nil
}

const readBefore = "an earlier handler may have read it"

// bodyHint says what is odd about a body that is signed by no live key; empty if
// nothing is.
func bodyHint(r *http.Request, body []byte) string {
	switch {
	case int64(len(body)) < r.ContentLength:
		return fmt.Sprintf(" over a body of %d bytes (Content-Length said %d): %s", len(body), r.ContentLength, readBefore)
	case len(body) == 0:
		return " over a body of 0 bytes: " + readBefore
	default:
		return ""
	}
}

// readError sorts what a body's Read says.
func readError(err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return fmt.Errorf("%w: more than %d bytes", ErrTooLarge, tooLarge.Limit)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: the body did not arrive in time", ErrOverloaded)
	default:
		return fmt.Errorf("%w: the body broke off: %v", ErrMalformed, err)
	}
}

// limitRead sets the time until which the body must have arrived; the zero time
// lifts it. Not every ResponseWriter can do it. It is what
// http.ResponseController does, without making one.
func limitRead(w http.ResponseWriter, until time.Time) {
	for {
		switch t := w.(type) {
		case interface{ SetReadDeadline(time.Time) error }:
			_ = t.SetReadDeadline(until)
			return
		case interface{ Unwrap() http.ResponseWriter }:
			w = t.Unwrap()
		default:
			return
		}
	}
}
