package publish

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxEndpointID is the largest length of an ID: it is a part of names in the outbox.
const maxEndpointID = 64

// reservedHeaders cannot be set by an endpoint, since HTTP or the Publisher sets them.
var reservedHeaders = []string{
	"Connection", "Content-Length", "Content-Type", "Expect", "Host", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// check checks what Endpoint.Validate does not: what depends on the Publisher.
func (p *Publisher) check(e *Endpoint) error {
	if err := e.Validate(); err != nil {
		return err
	}
	for _, check := range []func(*Endpoint) (field, fault string){idFault, reservedFault, p.schemeFault, p.typesFault, p.sendingFault} {
		if field, fault := check(e); fault != "" {
			return endpointError(e, field, fault)
		}
	}
	return nil
}

func idFault(e *Endpoint) (field, fault string) {
	for _, r := range e.ID {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", r) {
			return shown("ID", e.ID), "it has a character other than letters, digits, _ and -"
		}
	}
	if len(e.ID) > maxEndpointID {
		return shown("ID", e.ID), fmt.Sprintf("it has %d bytes, at most %d are allowed", len(e.ID), maxEndpointID)
	}
	return "", ""
}

func reservedFault(e *Endpoint) (field, fault string) {
	for name := range e.Header {
		reserved := slices.Contains(reservedHeaders, name)
		if reserved || strings.HasPrefix(name, "Webhook-") || strings.HasPrefix(name, "Proxy-") {
			return shown("Header", name), "it cannot be set for an endpoint"
		}
	}
	return "", ""
}

func (p *Publisher) schemeFault(e *Endpoint) (field, fault string) {
	scheme, err := p.scheme(e.Scheme)
	if err != nil {
		return shown("Scheme", e.Scheme), err.Error()
	}
	if scheme.Signer == nil {
		return "", ""
	}
	live := 0
	for i, s := range e.Secrets {
		if err := scheme.check(s.Secret); err != nil {
			return fmt.Sprintf("Secrets[%d]", i), fmt.Sprintf("scheme %q cannot use it: %v", e.Scheme, err)
		}
		if s.Until.IsZero() || s.Until.After(time.Now()) {
			live++
		}
	}
	if live == 0 {
		return "Secrets", fmt.Sprintf("scheme %q needs one that is live", e.Scheme)
	}
	return "", ""
}

// typesFault refuses a pattern that no event can match.
func (p *Publisher) typesFault(e *Endpoint) (field, fault string) {
	if p.EventTypes == nil {
		return "", ""
	}
	for i, pattern := range e.Events {
		if !slices.ContainsFunc(p.EventTypes, func(typ string) bool { return slices.Contains(Patterns(typ), pattern) }) {
			return shown(fmt.Sprintf("Events[%d]", i), pattern), "it matches none of Publisher.EventTypes"
		}
	}
	return "", ""
}

func (p *Publisher) sendingFault(e *Endpoint) (field, fault string) {
	switch {
	case e.MaxAttempts > maxTries:
		return fmt.Sprintf("MaxAttempts %d", e.MaxAttempts), fmt.Sprintf("a Publisher tries %d times at most", maxTries)
	case e.InsecureSkipVerify && p.Transport != nil:
		return "InsecureSkipVerify", "the Transport of the Publisher decides that"
	}
	return "", ""
}

// checkAddress checks where the URL leads to. With a Transport of the program only its form
// is known.
func (p *Publisher) checkAddress(ctx context.Context, e *Endpoint) error {
	if p.Transport == nil {
		if _, err := p.guard().URL(ctx, e.URL); err != nil {
			return fmt.Errorf("%w %s: URL %s: %w", ErrEndpoint, quote(e.ID), quote(e.origin()), err)
		}
		return nil
	}
	u, err := url.Parse(e.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.Fragment != "" {
		return endpointError(e, "URL "+quote(e.origin()), "it must be https or http, without a user and a fragment")
	}
	return nil
}
