package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"time"
)

// maxPreallocated is the largest Content-Length for which the whole buffer is allocated
// when the first chunk has arrived. The buffer of a larger body, and of one without
// Content-Length, grows in steps.
const maxPreallocated = 256 << 10

// A bodyReader reads the body of a request into a new buffer, as a whole or first its
// beginning. Its methods charge memory, which the caller must release, also after an
// error. They get it as an argument, since a field would move the call to the heap.
type bodyReader struct {
	request *http.Request
	limit   int64 // maximum length of the body
	budget  *Budget

	buf  []byte // what has been read
	size int64  // capacity of buf
	most int64  // the largest capacity that can be needed
	err  error  // why there is no more to read; io.EOF after a complete body
}

// all reads the whole body.
func (b *bodyReader) all(memory *charge) ([]byte, error) {
	b.read(math.MaxInt64, memory)
	if b.err != io.EOF {
		return nil, b.err
	}
	return b.buf, nil
}

// within returns the whole body if it has at most n bytes. Otherwise, or if reading
// fails, ok is false, and all returns the body or the error. It reads at most one byte
// more than n, and nothing in two cases: if Content-Length is larger, and if the Budget has
// no memory for strangers.
func (b *bodyReader) within(n int64, memory *charge) (body []byte, ok bool) {
	announced := b.request.ContentLength
	if announced > n {
		return nil, false
	}
	b.most, b.size = b.limit+1, n+1
	if announced >= 0 {
		b.most, b.size = announced+1, announced+1
	}
	if !memory.beginStranger(b.budget, b.size) {
		return nil, false
	}
	b.buf = make([]byte, 0, b.size)
	b.read(n+1, memory)
	return b.buf, b.err == io.EOF && int64(len(b.buf)) <= n
}

// read reads until buf has enough bytes or err is set.
func (b *bodyReader) read(enough int64, memory *charge) {
	if b.buf == nil && b.err == nil {
		b.err = b.begin(memory)
	}
	for b.err == nil && int64(len(b.buf)) < enough {
		if int64(len(b.buf)) == b.size {
			b.err = b.grow(memory)
		} else {
			b.err = b.fill(min(enough, b.size))
		}
	}
}

// begin makes the buffer of the first chunk.
func (b *bodyReader) begin(memory *charge) error {
	announced := b.request.ContentLength
	if announced > b.limit {
		return fmt.Errorf("%w: %d bytes announced, %d allowed", ErrTooLarge, announced, b.limit)
	}
	// One byte more than allowed, so that the end is found without growing.
	b.most = b.limit + 1
	if announced >= 0 {
		b.most = announced + 1
	}
	if b.request.Body == nil {
		return b.end()
	}
	b.size = min(b.most, firstChunk)
	if err := memory.begin(b.request.Context(), b.budget, b.size); err != nil {
		return err
	}
	b.buf = append(make([]byte, 0, b.size), b.buf...)
	return nil
}

// fill reads once, until buf has at most room bytes.
func (b *bodyReader) fill(room int64) error {
	n, err := b.request.Body.Read(b.buf[len(b.buf):room])
	b.buf = b.buf[:len(b.buf)+n]
	switch got := int64(len(b.buf)); {
	case got > b.limit:
		return fmt.Errorf("%w: more than %d bytes", ErrTooLarge, b.limit)
	case err == io.EOF:
		return b.end()
	case err != nil:
		return readError(err)
	case got == b.most:
		return fmt.Errorf("%w: more than the %d bytes announced", ErrMalformed, b.request.ContentLength)
	}
	return nil
}

// grow replaces the buffer, which is full, by a larger one.
func (b *bodyReader) grow(memory *charge) error {
	if b.size < min(b.most, firstChunk) { // the buffer of within
		memory.release() // since begin may wait
		return b.begin(memory)
	}
	before, announced := b.size, b.request.ContentLength
	b.size = min(b.most, before*growth)
	if 0 <= announced && announced <= maxPreallocated {
		b.size = b.most
	}
	if err := memory.grow(b.size); err != nil {
		return err
	}
	b.buf = append(make([]byte, 0, b.size), b.buf...)
	memory.shrink(before)
	return nil
}

// end returns io.EOF, or why the body that has ended is not complete.
func (b *bodyReader) end() error {
	if err := checkLength(b.request, len(b.buf)); err != nil {
		return err
	}
	return io.EOF
}

// checkLength refuses a body that ended without an error before Content-Length. A sender
// cannot cause that, but another handler of the program can, and then the rest of the
// body is not what was sent.
func checkLength(r *http.Request, got int) error {
	if int64(got) < r.ContentLength {
		return fmt.Errorf("%w: the body ended after %d of %d bytes: %s", ErrBodyRead, got, r.ContentLength, readBefore)
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
