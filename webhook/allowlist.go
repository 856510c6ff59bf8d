package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"sync/atomic"
)

// IPAllowList verifies the client's address. Use it together with another verifier in
// an [AllOf]: alone it trusts every program at those addresses. IPv4-mapped IPv6
// addresses are compared as IPv4, and zones are ignored. The fields must not be
// changed after Validate.
type IPAllowList struct {
	Prefixes     []netip.Prefix
	PrefixesFunc func() []netip.Prefix // if not nil, replaces Prefixes; called for each request
	// ClientIP returns the client's address behind a proxy; see [ClientIPBehind]. A func
	// of your own should read forwarding headers only if the proxy overwrites them. If nil, the client is the peer of the
	// connection.
	ClientIP func(*http.Request) (netip.Addr, error)

	valid atomic.Bool
}

// Validate refuses an empty list and an invalid prefix.
func (l *IPAllowList) Validate() error {
	prefixes := l.prefixes()
	if len(prefixes) == 0 {
		return errors.New("webhook: IPAllowList has no prefixes")
	}
	for _, p := range prefixes {
		if !p.IsValid() {
			return errors.New("webhook: IPAllowList has an invalid prefix")
		}
	}
	l.valid.Store(true)
	return nil
}

// Admit returns nil if a prefix contains the client's address.
func (l *IPAllowList) Admit(r *http.Request) error {
	_, err := l.Verify(r, nil)
	return err
}

// Verify checks the same as Admit. The Proof is empty.
func (l *IPAllowList) Verify(r *http.Request, _ []byte) (Proof, error) {
	if !l.valid.Load() {
		return Proof{}, errNotValidated
	}
	addr, err := l.client(r)
	if err != nil {
		return Proof{}, fmt.Errorf("%w: client address: %w", ErrUnverified, err)
	}
	addr = addr.Unmap().WithZone("")
	for _, p := range l.prefixes() {
		if unmapPrefix(p).Contains(addr) {
			return Proof{}, nil
		}
	}
	return Proof{}, fmt.Errorf("%w: address %s is not on the list", ErrUnverified, addr)
}

// Sign sets RemoteAddr to the first address of the list, which works with a handler
// that is called directly, as in tests. It fails if ClientIP is set.
func (l *IPAllowList) Sign(r *http.Request, _ []byte) error {
	prefixes := l.prefixes()
	if l.ClientIP != nil || len(prefixes) == 0 {
		return errCannotSign
	}
	r.RemoteAddr = netip.AddrPortFrom(prefixes[0].Addr(), 1).String()
	return nil
}

func (l *IPAllowList) prefixes() []netip.Prefix {
	if l.PrefixesFunc != nil {
		return l.PrefixesFunc()
	}
	return l.Prefixes
}

func (l *IPAllowList) client(r *http.Request) (netip.Addr, error) {
	if l.ClientIP != nil {
		return l.ClientIP(r)
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return peer.Addr(), err
}

// unmapPrefix returns a.b.c.d/n for ::ffff:a.b.c.d/96+n.
func unmapPrefix(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p
}
