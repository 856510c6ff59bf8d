package addrguard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// maxURL is the maximum length of a URL in bytes.
const maxURL = 2048

// URL parses and judges a URL when it is registered: its form, and all addresses that its
// host has now. With Proxy it does not look up the host. The error wraps [ErrURL],
// [ErrAddress] or [ErrLookup]. It is also the error of ctx if that has ended.
//
// The text of an error names the address of the host. Do not show it to somebody who must
// not know the addresses of your network.
//
// What URL accepts may lead to another address later. Use [Guard.Client], or
// [Guard.Control], for each request.
func (g *Guard) URL(ctx context.Context, text string) (*url.URL, error) {
	if len(text) > maxURL {
		return nil, fmt.Errorf("%w: it has %d bytes, more than %d", ErrURL, len(text), maxURL)
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", ErrURL, parseFault(text, err))
	}
	if strings.Contains(text, "#") {
		return nil, fmt.Errorf("%w: it has a fragment", ErrURL)
	}
	if err := g.check(u); err != nil {
		return nil, err
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil || g.Proxy != nil {
		return u, nil // check has judged an address
	}
	if err := g.lookUp(ctx, u.Hostname()); err != nil {
		return nil, err
	}
	return u, nil
}

// parseFault returns what is wrong with a text that is no URL. It quotes nothing of one
// that may have a password.
func parseFault(text string, err error) string {
	if e, ok := errors.AsType[*url.Error](err); ok && !strings.ContainsAny(text, "@#") {
		return "it cannot be parsed: " + e.Err.Error()
	}
	return "it cannot be parsed"
}

// check judges all of a URL but the addresses of a name.
func (g *Guard) check(u *url.URL) error {
	switch scheme := u.Scheme; {
	case scheme == "" || u.Host == "" || u.Opaque != "":
		return fmt.Errorf("%w: it is not absolute: it needs a scheme and a host", ErrURL)
	case scheme == "http" && !g.InsecureHTTP:
		return fmt.Errorf("%w: the scheme is http, which needs InsecureHTTP", ErrURL)
	case scheme != "https" && scheme != "http":
		return fmt.Errorf("%w: the scheme %q is not https", ErrURL, scheme)
	case u.User != nil:
		return fmt.Errorf("%w: it has a user name or a password", ErrURL)
	}
	port := uint16(443)
	if u.Scheme == "http" {
		port = 80
	}
	if text := u.Port(); text != "" {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return fmt.Errorf("%w: the port %q is not from 1 to 65535", ErrURL, text)
		}
		port = uint16(n)
	}
	if !g.allowsPort(port) {
		return fmt.Errorf("%w: the port %d may not be called", ErrURL, port)
	}
	host := u.Hostname()
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr.Zone() != "" {
			return fmt.Errorf("%w: %s has a zone", ErrAddress, addr)
		}
		return g.Address(addr)
	}
	return checkName(host)
}

// checkName returns an error if a host is no name.
func checkName(host string) error {
	if len(host) > 253 {
		return fmt.Errorf("%w: the host has %d bytes, more than 253", ErrURL, len(host))
	}
	last := ""
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 {
			return fmt.Errorf("%w: the host %q has a part of %d bytes, not 1 to 63", ErrURL, host, len(label))
		}
		for _, c := range []byte(label) {
			if !isNameByte(c) {
				return fmt.Errorf("%w: the host %q has other characters than letters, digits, '-' and '_'", ErrURL, host)
			}
		}
		last = label
	}
	// Some resolvers read such a host as an IPv4 address.
	if _, err := strconv.ParseUint(last, 0, 64); err == nil || errors.Is(err, strconv.ErrRange) || strings.Trim(last, "0123456789") == "" || strings.EqualFold(last, "0x") {
		return fmt.Errorf("%w: the host %q ends in a number and is not an address of four numbers", ErrURL, host)
	}
	return nil
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// lookUp judges all addresses of a host.
func (g *Guard) lookUp(ctx context.Context, host string) error {
	resolver := g.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	addrs, err := resolver.LookupNetIP(ctx, "ip", host)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %s: %w", ErrLookup, host, ctx.Err())
	case err != nil:
		return fmt.Errorf("%w: %s: %s", ErrLookup, host, lookupFault(err))
	case len(addrs) == 0:
		return fmt.Errorf("%w: %s has no address", ErrLookup, host)
	}
	for _, addr := range addrs {
		if err := g.Address(addr); err != nil {
			return fmt.Errorf("%s: %w", host, err)
		}
	}
	return nil
}

// lookupFault returns why a lookup failed, without the addresses of the name server and of
// this host, which the text of a DNSError may have.
func lookupFault(err error) string {
	e, ok := errors.AsType[*net.DNSError](err)
	switch {
	case ok && e.IsNotFound:
		return "no such host"
	case ok && e.IsTimeout:
		return "the name server does not answer in time"
	}
	return "the lookup failed"
}
