package publish

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/hookhouse/hookhouse/webhook/addrguard"
)

// transports are what requests are sent with: one that verifies certificates and one for
// endpoints with InsecureSkipVerify. Both are HTTP/1.1, so that a request has a connection
// to itself, and a slow answer delays no other.
type transports struct {
	verifying, insecure *http.Transport
}

func newTransports(guard *addrguard.Guard, timeout time.Duration, concurrency int) *transports {
	return &transports{
		verifying: newTransport(guard, timeout, concurrency, false),
		insecure:  newTransport(guard, timeout, concurrency, true),
	}
}

func newTransport(guard *addrguard.Guard, timeout time.Duration, concurrency int, insecure bool) *http.Transport {
	t := guard.Transport()
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	t.ForceAttemptHTTP2 = false
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: insecure} //nolint:gosec // the owner asks for it
	t.TLSHandshakeTimeout = timeout
	t.MaxIdleConns = 4 * concurrency
	t.MaxIdleConnsPerHost = concurrency // endpoints may all have one host
	return t
}

// transport returns what sends the requests of an endpoint.
func (p *Publisher) transport(e *Endpoint) http.RoundTripper {
	switch {
	case p.Transport != nil:
		return p.Transport
	case e.InsecureSkipVerify:
		return p.own.insecure
	}
	return p.own.verifying
}

// close closes the connections that are not in use.
func (t *transports) close() {
	t.verifying.CloseIdleConnections()
	t.insecure.CloseIdleConnections()
}

// failureText says why there is no answer. It is recorded for the owner, and logged. So it has
// no address, from which an owner could learn about the network of the program, and no URL.
func failureText(err error) string {
	if errors.Is(err, addrguard.ErrAddress) {
		return addrguard.ErrAddress.Error()
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	// The texts of these two have the addresses of this host, and of the name server.
	lookup, isLookup := errors.AsType[*net.DNSError](err)
	on, isNet := errors.AsType[*net.OpError](err)
	switch {
	case isLookup && lookup.IsNotFound:
		return "lookup " + lookup.Name + ": no such host"
	case isLookup && lookup.IsTimeout:
		return "lookup " + lookup.Name + ": the name server does not answer in time"
	case isLookup:
		return "lookup " + lookup.Name + ": it failed"
	case isNet && on.Err != nil:
		return on.Op + ": " + on.Err.Error()
	}
	return err.Error()
}
