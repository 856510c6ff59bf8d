package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/addrguard"
)

// maxAnswer is how many bytes are kept of what a URL answers.
const maxAnswer = 1 << 20

// The headers of an answer beside those that came.
const (
	statusHeader  = ownPrefix + "Status"
	captureHeader = ownPrefix + "Capture" // the UID of the call that was forwarded
)

// A forwarder is the Handler of the worker: it passes a capture on to the URL of its bin, and
// stores the answer as a delivery with the same ordering key.
type forwarder struct {
	bins   *bins
	client *http.Client
}

func newForwarder(b *bins, g *addrguard.Guard) *forwarder {
	return &forwarder{b, g.Client()}
}

// busyDelay is how long a capture waits if its bin forwards as many as it may.
const busyDelay = time.Second

// Handle forwards one capture. If the URL does not answer 2xx, the error says why.
func (f *forwarder) Handle(ctx context.Context, d *webhook.Delivery) error {
	name := d.Header.Get(nameHeader)
	if name == "" {
		return fmt.Errorf("%w: it is not of a bin", webhook.ErrNoHandler)
	}
	b, ok := f.bins.get(name)
	if d.Header.Get(statusHeader) != "" || !ok || b.Forward == "" {
		return nil // an answer, or there is nothing to do
	}
	if why := cannotForward(d); why != "" {
		return fmt.Errorf("%w: not forwarded: %s", webhook.ErrIgnored, why)
	}
	if !b.forwards.take() {
		return webhook.Postpone(busyDelay, errors.New("other calls of the bin are being forwarded"))
	}
	defer b.forwards.giveBack()
	return webhook.Permanent(f.forward(ctx, &b.bin, d)) // its MaxAttempts is 1, also after a replay
}

// cannotForward returns why a capture is not forwarded, empty if it can be.
func cannotForward(d *webhook.Delivery) string {
	switch {
	case d.Header.Get(bodyHeader) != "":
		return "the body is not stored"
	case d.Header.Get(forwardedHeader) != "":
		return "the call was forwarded by a bin, and might go round in circles"
	case methodOf(d) == http.MethodConnect:
		return "the method is CONNECT"
	}
	return ""
}

// methodOf returns the method of a captured call.
func methodOf(d *webhook.Delivery) string {
	method, _, _ := strings.Cut(d.Header.Get(requestHeader), " ")
	return method
}

func (f *forwarder) forward(ctx context.Context, b *bin, d *webhook.Delivery) error {
	request, err := http.NewRequestWithContext(ctx, methodOf(d), b.Forward, bytes.NewReader(d.Body))
	if err != nil {
		return errors.New("the call cannot be made of the capture") // the text of err has the URL
	}
	request.Header = passedOn(d.Header)
	request.Header.Del("Accept-Encoding") // so that the answer can be read
	request.Header.Set(forwardedHeader, b.Name)
	began := time.Now()
	response, err := f.client.Do(request)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // without the URL, which may have a token
		}
		return fmt.Errorf("no answer from %s: %w", request.URL.Host, err)
	}
	defer response.Body.Close()
	body, readErr := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	got := webhook.NewDelivery(sourceOf(b.Name), answerType(b.Name), d.OrderingKey, body[:min(len(body), maxAnswer)])
	got.Header = passedOn(response.Header)
	got.Header.Del("Set-Cookie")
	for name, values := range d.TraceHeader() {
		got.Header[name] = values
	}
	status := answer{status: response.StatusCode}.String()
	got.Header.Set(statusHeader, fmt.Sprintf("%s after %v", status, time.Since(began).Round(time.Millisecond)))
	got.Header.Set(captureHeader, d.UID)
	switch {
	case readErr != nil:
		got.Header.Set(bodyHeader, "It broke off.")
	case len(body) > maxAnswer:
		got.Header.Set(bodyHeader, fmt.Sprintf("It has more than these %d bytes.", maxAnswer))
	}
	if err := f.bins.captures.put(ctx, b.Name, got); err != nil {
		return fmt.Errorf("%s answered %s, but that is not stored: %w", request.URL.Host, status, err)
	}
	switch {
	case response.StatusCode < 200 || response.StatusCode > 299:
		return fmt.Errorf("%s answered %s", request.URL.Host, status)
	case readErr != nil:
		return fmt.Errorf("%s answered %s, and the body broke off", request.URL.Host, status)
	}
	return nil
}

// passedOn returns the headers of a message that belong to it and not to its connection,
// without those of this program.
func passedOn(h http.Header) http.Header {
	h = h.Clone()
	for _, list := range h["Connection"] {
		for name := range strings.SplitSeq(list, ",") {
			h.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range hopByHop {
		h.Del(name)
	}
	h.Del("Expect")
	for name := range h {
		if strings.HasPrefix(name, ownPrefix) {
			h.Del(name)
		}
	}
	return h
}
