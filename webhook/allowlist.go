package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"sync/atomic"
)

// IPAllowList verifies the client's address. It is a second guard for [AllOf];
// alone it trusts every program behind those addresses. IPv4 addresses written
// as IPv6 are compared as IPv4, zones are dropped. Fields are not changed after
// Validate.
type IPAllowList struct {
	Prefixes     []netip.Prefix
	PrefixesFunc func() []netip.Prefix // Zero means Prefixes. Called for each request.
	// ClientIP tells the client's address behind a proxy. Read forwarding headers
	// only if the proxy overwrites them. Zero means the connection's peer.
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

// Admit passes if the address is inside one of the prefixes.
func (l *IPAllowList) Admit(r *http.Request) error {
	_, err := l.Verify(r, nil)
	return err
}

// Verify does what Admit does; the Proof is empty.
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

// Sign sets RemoteAddr to the first address of the list, as a test's recorder
// sees it. With ClientIP set it cannot know how and fails.
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

// unmapPrefix writes ::ffff:a.b.c.d/96+n as a.b.c.d/n.
func unmapPrefix(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p
}
