package addrguard

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
)

// The sentinel errors. Test with [errors.Is]. Their text has the scheme, the host and the
// port of a URL at most, since the rest may be secret.
var (
	// ErrURL: the URL does not have the form that is required.
	ErrURL = errors.New("addrguard: URL refused")
	// ErrAddress: the URL or the connection leads to an address that is refused.
	ErrAddress = errors.New("addrguard: address refused")
	// ErrLookup: the host has no address, or the lookup failed. A later try may succeed.
	ErrLookup = errors.New("addrguard: host not found")
)

// A Guard judges URLs and addresses. The zero value is ready and the strictest. Set the
// fields before use. It is safe for concurrent use.
type Guard struct {
	// Allow has addresses that may be called although the table refuses them, such as
	// those of a local network. Nil means none.
	Allow []netip.Prefix
	// Deny has addresses that are refused whatever the table and Allow say. Nil means none.
	Deny []netip.Prefix
	// InsecureHTTP allows the scheme http, with which everybody on the way can read and
	// change what is sent.
	InsecureHTTP bool
	// Port reports whether a port may be called. If nil, it is 80, 443 and all from 1024.
	Port func(port uint16) bool
	// Resolver looks up hosts. If nil, it is net.DefaultResolver.
	Resolver *net.Resolver
	// Proxy is the proxy through which Transport and Client send all requests. The Guard
	// trusts it and does not judge its address.
	//
	//   - The proxy looks up the hosts. So the Guard judges only hosts that are addresses,
	//     and the proxy must refuse what else must not be called.
	//   - Environment variables such as HTTPS_PROXY are ignored in any case.
	//
	// If nil, requests are sent without a proxy.
	Proxy *url.URL
}

// allowsPort reports whether a port may be called.
func (g *Guard) allowsPort(port uint16) bool {
	if g.Port != nil {
		return g.Port(port)
	}
	return port == 80 || port == 443 || port >= 1024
}
