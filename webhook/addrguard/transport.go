package addrguard

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// The limits of Transport and Client.
const (
	dialTimeout    = 10 * time.Second
	idleTimeout    = 90 * time.Second
	clientTimeout  = 30 * time.Second
	maxHeaderBytes = 64 << 10
)

// Control judges the address of a connection that is about to be made. It is for the field
// of that name of a [net.Dialer]; [Guard.Transport] has one. The error wraps [ErrAddress]
// or, for a port, [ErrURL].
func (g *Guard) Control(network, address string, _ syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return fmt.Errorf("%w: the network %q is not TCP", ErrAddress, network)
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %q is not an address and a port", ErrAddress, address)
	}
	if !g.allowsPort(to.Port()) {
		return fmt.Errorf("%w: the port %d may not be called", ErrURL, to.Port())
	}
	return g.Address(to.Addr())
}

// Transport returns a new transport that judges the form of each URL and the address of
// each connection. It uses no proxy but Proxy, reads at most 64 KiB of response headers,
// and does not decompress bodies, whose size a caller could not bound otherwise. The
// caller owns it and may change other fields than Proxy, Dial, DialContext, DialTLS and
// DialTLSContext.
//
// A RoundTripper follows no redirects. In an [http.Client] of your own set CheckRedirect
// as [Guard.Client] does. Even without, no redirect leads to an address that is refused.
func (g *Guard) Transport() *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout, Resolver: g.Resolver, Control: g.Control}
	if g.Proxy != nil {
		dialer.Control = nil // the address is that of the proxy
	}
	return &http.Transport{
		// The transport calls Proxy for each request.
		Proxy: func(r *http.Request) (*url.URL, error) {
			if err := g.check(r.URL); err != nil {
				return nil, err
			}
			return g.Proxy, nil
		},
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    dialTimeout,
		DisableCompression:     true,
		MaxIdleConns:           512,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeaderBytes,
		ForceAttemptHTTP2:      true,
	}
}

// Client returns a new client with [Guard.Transport]. It follows no redirects: the caller
// gets the response with the status 3xx. A request may take 30 s with its body. Bound what
// you read of the body with [io.LimitReader]. Do not read that of a response with the status
// 101: it is the connection, which neither the 30 s nor a context ends. Make one Client and
// use it for all requests, since it keeps connections.
func (g *Guard) Client() *http.Client {
	return &http.Client{
		Transport:     g.Transport(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       clientTimeout,
	}
}
