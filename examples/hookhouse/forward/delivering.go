package forward

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/hookhouse/hookhouse/examples/hookhouse/service"
	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// maxAnswer bounds what is read of an answer of a target.
	maxAnswer = 64 << 10
	// maxCut is how often a body is read that is not whole.
	maxCut = 3
)

// A call is the request for a delivery.
type call struct {
	target string // for errors: the host
	sender string
	method string
	url    string
	header http.Header // with signatures
	body   []byte
}

// dropped is why a delivery is not sent.
type dropped struct{ cause string }

func (d dropped) Error() string { return d.cause }

// fatal returns an error of the service if it concerns more than one delivery, and otherwise a
// dropped.
func fatal(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, webhook.ErrNotFound):
		return dropped{"the service has deleted it"}
	case ctx.Err() != nil, errors.Is(err, service.ErrUnavailable), errors.Is(err, service.ErrNotInspector), errors.Is(err, service.ErrDenied):
		return err
	}
	return dropped{err.Error()}
}

// get reads a delivery without its body. That it does not exist is believed if the service has a
// list before it says so again: what stands before the service may answer 404 to everything.
func (f *Forwarder) get(ctx context.Context, uid string) (webhook.Record, error) {
	r, err := f.Service.Get(ctx, uid)
	if errors.Is(err, webhook.ErrNotFound) {
		if _, err := f.backlog.newest(ctx); err != nil {
			return r, fatal(ctx, err)
		}
		r, err = f.Service.Get(ctx, uid)
	}
	if err != nil {
		return r, fatal(ctx, err)
	}
	return r, nil
}

// prepare reads a delivery from the service and makes its call. The error is a dropped if it
// is not to be sent.
func (f *Forwarder) prepare(ctx context.Context, uid string) (call, error) {
	r, err := f.get(ctx, uid)
	switch {
	case err != nil:
		return call{}, err
	case r.Err != nil:
		return call{}, dropped{fmt.Sprintf("the service cannot read it: %q", r.Err.Error())}
	}
	method, err := methodOf(r.Delivery)
	if err != nil {
		return call{}, err
	}
	name := f.As
	if name == "" {
		name = senderOf(r.Delivery)
	}
	to, known := f.Targets[name]
	switch {
	case name == "":
		return call{}, dropped{fmt.Sprintf("the sender of the source %q is not known; -as says which one it is", r.Delivery.Source)}
	case !known:
		return call{}, dropped{"there is no target for " + name}
	case to.Lacks != "":
		return call{}, dropped{to.Lacks}
	}
	body, err := f.body(ctx, r)
	if err != nil {
		return call{}, err
	}
	header, err := senders[name].header(r.Delivery, body)
	if err != nil {
		return call{}, dropped{err.Error()}
	}
	if err := senders[name].sign(&http.Request{Header: header}, to.Secret, body); err != nil {
		return call{}, dropped{"it cannot be signed: " + err.Error()}
	}
	u, err := url.Parse(to.URL)
	if err != nil {
		return call{}, ErrTarget // the error would have the URL
	}
	return call{u.Host, name, method, to.URL, header, body}, nil
}

// body reads a body, which must be whole.
func (f *Forwarder) body(ctx context.Context, r webhook.Record) (body []byte, err error) {
	for range maxCut {
		body, err = f.Service.Body(ctx, r.Delivery.UID, r.Size)
		if !errors.Is(err, service.ErrCut) || r.Size > service.MaxBody {
			break
		}
	}
	if errors.Is(err, webhook.ErrNotFound) {
		if _, err := f.get(ctx, r.Delivery.UID); err != nil {
			return nil, err
		}
		err = fmt.Errorf("%w: it has the delivery and not its body", service.ErrUnavailable)
	}
	if err != nil {
		return nil, fatal(ctx, err)
	}
	return body, nil
}

// An answer is what a target has answered.
type answer struct {
	status int
	text   []byte
	after  time.Duration // that it asks to wait, if it is busy
}

// post makes a call once.
func (f *Forwarder) post(ctx context.Context, c call) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, f.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, c.method, c.url, bytes.NewReader(c.body))
	if err != nil {
		return answer{}, ErrTarget
	}
	r.Header = c.header.Clone()
	resp, err := f.client.Do(r)
	if err != nil {
		return answer{}, withoutURL(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return answer{status: resp.StatusCode}, nil // its body is the connection, which no context ends
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return answer{}, withoutURL(err)
	}
	return answer{resp.StatusCode, text, retryAfter(resp.Header, time.Now())}, nil
}

// withoutURL returns an error of a request without the URL, which may have a token.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if errors.Is(err, context.DeadlineExceeded) && !isDown(err) {
		return errSlow
	}
	return err
}
