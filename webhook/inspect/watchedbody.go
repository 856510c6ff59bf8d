package inspect

import (
	"errors"
	"io"
	"net/http"
)

// A watchedBody is the body of a request. What is read from it is kept.
type watchedBody struct {
	io.ReadCloser
	call *watchedCall
}

// Read reads from the body.
func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.call.keep(p[:max(n, 0)], err)
	return n, err
}

// keep keeps what was read.
func (c *watchedCall) keep(part []byte, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.finished {
		return
	}
	c.read += int64(len(part))
	switch {
	case errors.Is(err, http.ErrBodyReadAfterClose):
		c.closed = true // the first error says how the body ended
	case err != nil:
		c.err = err
	}
	if c.full || len(part) == 0 {
		return
	}
	if room := c.limit - len(c.body); len(part) > room {
		part, c.full = part[:max(room, 0)], true
	}
	if size := len(c.body) + len(part); size > cap(c.body) {
		size = min(max(size, 2*cap(c.body), 512), c.limit)
		if !c.reserve(size - cap(c.body)) {
			c.full = true
			return
		}
		c.body = append(make([]byte, 0, size), c.body...)
	}
	c.body = append(c.body, part...)
}

func (c *watchedCall) reserve(n int) bool {
	_, bytes := c.in.limits()
	return c.in.calls.reserve(int64(n), bytes)
}

// end returns how the reading of the body ended.
func (c *watchedCall) end() bodyEnd {
	switch {
	case !c.hasBody || c.length == 0 && c.read == 0:
		return bodyNone
	case c.err != nil && c.err != io.EOF:
		return bodyBroken
	case c.read < c.length && (c.err == io.EOF || c.closed):
		return bodyShort
	case c.err == io.EOF || c.read == c.length:
		return bodyWhole
	case c.read == 0:
		return bodyUnread
	default:
		return bodyPartly
	}
}
