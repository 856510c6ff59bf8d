package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// MaxBody is the size in bytes of the largest body that is read. GitHub, with the largest
	// ones, sends 25 MiB.
	MaxBody = 32 << 20
	// bodyTimeout bounds the reading of a body. It is how long the service lasts too.
	bodyTimeout = 2 * time.Minute
)

// Get returns one delivery without its body, with its headers, replays and attempts. The error
// wraps webhook.ErrNotFound if there is none.
func (c *Client) Get(ctx context.Context, uid string) (webhook.Record, error) {
	text, err := c.bytesOf(ctx, http.MethodGet, "api/delivery", url.Values{"uid": {uid}}, nil)
	if err != nil {
		return webhook.Record{}, err
	}
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return webhook.Record{}, fmt.Errorf("%w: a delivery is not JSON of the documented form", ErrNotInspector)
	}
	if err := r.check(); err != nil {
		return webhook.Record{}, err
	}
	if r.UID != uid {
		return webhook.Record{}, fmt.Errorf("%w: asked for the delivery %s, it answers with %s", ErrNotInspector, quoted(uid), quoted(r.UID))
	}
	return r.record(), nil
}

// Body returns the body of a delivery, byte for byte, which has the size of its Record. The
// error wraps [ErrCut] if it has another one, or is larger than MaxBody.
func (c *Client) Body(ctx context.Context, uid string, size int64) ([]byte, error) {
	if size > MaxBody {
		return nil, fmt.Errorf("%w: it has %d bytes, and at most %d are read", ErrCut, size, MaxBody)
	}
	ctx, cancel := context.WithTimeout(ctx, bodyTimeout)
	defer cancel()
	resp, err := c.call(ctx, http.MethodGet, "api/body", url.Values{"uid": {uid}}, nil, kindBody)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, size+1))
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("%w: it ends after %d bytes, and the delivery has %d", ErrCut, len(body), size)
	case err != nil:
		return nil, unreachable(err)
	case int64(len(body)) > size:
		return nil, fmt.Errorf("%w: it has more bytes than the %d of the delivery", ErrCut, size)
	case int64(len(body)) < size:
		return nil, fmt.Errorf("%w: it has %d bytes, and the delivery has %d", ErrCut, len(body), size)
	}
	return body, nil
}
