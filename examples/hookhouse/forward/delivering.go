package forward

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/hookhouse/hookhouse/examples/hookhouse/service"
	"github.com/hookhouse/hookhouse/webhook"
)

const (
	// maxAnswer bounds what is read of an answer of a target.
	maxAnswer = 64 << 10
	// maxTries is how often a delivery is sent to a target that takes connections and does not
	// answer in time, or says that it is busy. A target that is down is waited for.
	maxTries = 4
	// maxCut is how often a body is read that is not whole.
	maxCut = 3
)

// A call is the request for a delivery.
type call struct {
	target string // for errors: the host
	sender string
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

// prepare reads a delivery from the service and makes its call. The error is a dropped if it
// is not to be sent.
func (f *Forwarder) prepare(ctx context.Context, uid string) (call, error) {
	r, err := f.Service.Get(ctx, uid)
	switch {
	case err != nil:
		return call{}, fatal(ctx, err)
	case r.Err != nil:
		return call{}, dropped{fmt.Sprintf("the service cannot read it: %q", r.Err.Error())}
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
	return call{u.Host, name, to.URL, header, body}, nil
}

// body reads a body, which must be whole.
func (f *Forwarder) body(ctx context.Context, r webhook.Record) (body []byte, err error) {
	for range maxCut {
		body, err = f.Service.Body(ctx, r.Delivery.UID, r.Size)
		if !errors.Is(err, service.ErrCut) || r.Size > service.MaxBody {
			break
		}
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
}

// post makes a call once.
func (f *Forwarder) post(ctx context.Context, c call) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, f.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(c.body))
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
	return answer{resp.StatusCode, text}, nil
}

// withoutURL returns an error of a request without the URL, which may have a token.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if errors.Is(err, context.DeadlineExceeded) && !isDown(err) {
		return errors.New("no answer in time")
	}
	return err
}

// isDown reports whether nobody listens at the target.
func isDown(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// isBusy reports whether a status means that the target may take the delivery later.
func isBusy(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusBadGateway || status == http.StatusServiceUnavailable ||
		status == http.StatusGatewayTimeout
}

// send makes a call until it is answered. It waits for a target that is down for as long as
// ctx lasts, and gives one that is busy or slow maxTries.
func (f *Forwarder) send(ctx context.Context, c call) (a answer, took time.Duration, err error) {
	var again service.Backoff
	noted := ""
	for tries := 0; ; {
		if err := again.Wait(ctx); err != nil {
			return a, took, err
		}
		began := time.Now()
		a, err = f.post(ctx, c)
		took = time.Since(began)
		problem := fmt.Sprint(a.status, " ", http.StatusText(a.status))
		switch {
		case ctx.Err() != nil:
			return a, took, ctx.Err()
		case errors.Is(err, ErrRemote), errors.Is(err, ErrTarget), err == nil && !isBusy(a.status):
			return a, took, err
		case err != nil:
			problem = err.Error()
		}
		if !isDown(err) {
			tries++
		}
		if tries == maxTries {
			return a, took, err
		}
		if problem != noted {
			noted = problem
			f.Note(fmt.Sprintf("%s: %s; trying again, and what follows waits", c.target, problem))
		}
	}
}
