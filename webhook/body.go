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

// maxPreallocated is the largest Content-Length for which the whole buffer is allocated
// when the first chunk has arrived. The buffer of a larger body, and of one without
// Content-Length, grows in steps.
const maxPreallocated = 256 << 10

// readBody reads the whole body, at most limit bytes, into a new buffer. It charges
// memory, which the caller must release, also after an error.
func readBody(r *http.Request, limit int64, budget *Budget, memory *charge) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, fmt.Errorf("%w: %d bytes announced, %d allowed", ErrTooLarge, r.ContentLength, limit)
	}
	// One byte more than allowed, so that the end is found without growing.
	most := limit + 1
	if r.ContentLength >= 0 {
		most = r.ContentLength + 1
	}
	if r.Body == nil {
		return nil, checkLength(r, 0)
	}
	size := min(most, firstChunk)
	if err := memory.begin(r.Context(), budget, size); err != nil {
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
			return buf, checkLength(r, len(buf))
		case err != nil:
			return nil, readError(err)
		case int64(len(buf)) == most:
			return nil, fmt.Errorf("%w: more than the %d bytes announced", ErrMalformed, r.ContentLength)
		case int64(len(buf)) == size:
			before := size
			size = min(most, before*growth)
			if 0 <= r.ContentLength && r.ContentLength <= maxPreallocated {
				size = most
			}
			if err := memory.grow(size); err != nil {
				return nil, err
			}
			buf = append(make([]byte, 0, size), buf...)
			memory.shrink(before)
		}
	}
}

// checkLength refuses a body that ended without an error before Content-Length. A sender
// cannot cause that, but another handler of the program can, and then the rest of the
// body is not what was sent.
func checkLength(r *http.Request, got int) error {
	if int64(got) < r.ContentLength {
		return fmt.Errorf("webhook: the body ended after %d of %d bytes: %s", got, r.ContentLength, readBefore)
	}
	return nil
}

const readBefore = "an earlier handler may have read it"

// bodyHint says why the signature of a body may match no key, empty if the body is not
// the reason.
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

// readError returns the error of a body's Read as one of the sentinel errors.
func readError(err error) error {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fmt.Errorf("%w: more than %d bytes", ErrTooLarge, tooLarge.Limit)
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: the body did not arrive in time", ErrOverloaded)
	default:
		return fmt.Errorf("%w: the body broke off: %v", ErrMalformed, err)
	}
}

// limitRead sets the time by which the body must have arrived. The zero time removes the
// limit. A ResponseWriter without read deadlines is left as it is. limitRead does the same
// as http.ResponseController, without an allocation.
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
