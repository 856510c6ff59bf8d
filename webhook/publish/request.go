package publish

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// The headers that a Publisher sets. The ID is that of Standard Webhooks, and is sent with
// every scheme, so that receivers can recognize a repeated delivery. The type is not signed.
const (
	idRequestHeader   = "Webhook-Id"
	typeRequestHeader = "Webhook-Type"
)

// errNoAnswer is the cause with which a request ends after Publisher.Timeout.
var errNoAnswer = errors.New("publish: no answer in time")

// errBroken is the error of a transport that returns neither an answer nor an error.
var errBroken = errors.New("publish: the transport returned neither an answer nor an error")

// A post is a request to be sent to an endpoint.
type post struct {
	endpoint *Endpoint
	scheme   Scheme
	signer   webhook.Signer
	message  Message
	content  string // its type
	body     []byte
}

// newPost prepares a request. An error is a fault of the program, such as a secret with
// which the scheme cannot sign.
func (p *Publisher) newPost(e *Endpoint, m *message, attempt int, body []byte) (*post, error) {
	scheme, err := p.scheme(e.Scheme)
	if err != nil {
		return nil, fmt.Errorf("publish: Scheme %s: %w", quote(e.Scheme), err)
	}
	s := &post{
		endpoint: e,
		scheme:   scheme,
		message:  Message{ID: m.id(), Type: m.typ, Endpoint: e.ID, Attempt: attempt},
		content:  cmp.Or(m.contentType, "application/json"),
		body:     body,
	}
	return s, guarded(func() (err error) {
		s.signer, err = scheme.signer(e.Secrets, time.Now())
		return err
	})
}

// guarded calls a func of a Scheme and turns its panic into an error.
func guarded(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("publish: the scheme panicked: %v", v)
		}
	}()
	return f()
}

// send makes the attempt. A Challenged scheme may take two requests, which share the time.
// An error is a fault of the program: nothing that counts was sent.
func (p *Publisher) send(ctx context.Context, s *post) (answer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, p.timeout(), fmt.Errorf("%w: after %v", errNoAnswer, p.timeout()))
	defer cancel()
	r, err := p.request(ctx, s, !s.scheme.Challenged)
	if err != nil {
		return answer{}, err
	}
	a := p.roundTrip(r, s.endpoint)
	if !s.scheme.Challenged || a.status != http.StatusUnauthorized || a.header.Get("WWW-Authenticate") == "" {
		return a, nil
	}
	if r, err = p.request(ctx, s, true); err != nil {
		return answer{}, err
	}
	return p.roundTrip(r, s.endpoint), nil
}

// request returns a request, signed or not.
func (p *Publisher) request(ctx context.Context, s *post, signed bool) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint.URL, bytes.NewReader(s.body))
	if err != nil {
		return nil, fmt.Errorf("publish: the URL of endpoint %s cannot be used", quote(s.endpoint.ID)) // err has all of it
	}
	r.Header.Set("Content-Type", s.content)
	r.Header.Set("User-Agent", p.userAgent())
	r.Header.Set(typeRequestHeader, s.message.Type)
	for name, values := range s.endpoint.Header {
		r.Header[name] = append([]string(nil), values...)
	}
	r.Header.Set(idRequestHeader, s.message.ID)
	return r, guarded(func() error {
		s.scheme.prepare(r, s.message)
		if !signed {
			return nil
		}
		return s.signer.Sign(r, s.body)
	})
}

// roundTrip sends a request. It follows no redirect, and returns when the beginning of the
// answer is read, or the time is over.
func (p *Publisher) roundTrip(r *http.Request, e *Endpoint) (a answer) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	resp, err := p.transport(e).RoundTrip(r.WithContext(ctx))
	switch {
	case err != nil && ctx.Err() != nil:
		return answer{err: context.Cause(ctx)}
	case err != nil:
		return answer{err: err}
	case resp == nil:
		return answer{err: errBroken}
	}
	a.status, a.header = resp.StatusCode, resp.Header
	if resp.Body != nil {
		defer func() { _ = resp.Body.Close() }()
		if a.status == http.StatusSwitchingProtocols {
			return a // its body is the connection, which no context ends
		}
		defer time.AfterFunc(bodyWait, cancel).Stop()
		a.readBody(resp.Body)
	}
	return a
}
