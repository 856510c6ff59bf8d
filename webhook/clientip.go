package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

const forwardedFor = "X-Forwarded-For"

// maxForwardedFor is how many addresses of X-Forwarded-For ClientIPBehind reads.
const maxForwardedFor = 32

// ClientIPBehind returns a func for [Receiver.ClientIP] and [IPAllowList.ClientIP] that
// finds the client's address behind the given proxies. Each proxy must append the
// address of its peer to the header X-Forwarded-For, as most do.
//
//   - The header counts only if the peer of the connection is one of the proxies.
//     Anybody else could write what it likes.
//   - The client is the last address in the header that is not one of the proxies. What
//     is before that was written by the client.
//   - Without the header, or if all of its addresses are proxies, the client is the
//     first address known.
//   - An address in the header that cannot be parsed is an error, and so is a peer
//     without an address, such as a Unix socket.
//
// The address is IPv4 where it can be, and has no zone. A port after an address in the
// header is ignored. ClientIPBehind copies the prefixes. It panics if there are none or
// one is not valid. The func is safe for concurrent use.
//
// The header is described in
// https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/X-Forwarded-For.
func ClientIPBehind(proxies ...netip.Prefix) func(*http.Request) (netip.Addr, error) {
	if len(proxies) == 0 {
		panic("webhook: ClientIPBehind needs a proxy")
	}
	own := make([]netip.Prefix, len(proxies))
	for i, p := range proxies {
		if !p.IsValid() {
			panic("webhook: ClientIPBehind has an invalid prefix")
		}
		own[i] = unmapPrefix(p)
	}
	isProxy := func(addr netip.Addr) bool {
		return slices.ContainsFunc(own, func(p netip.Prefix) bool { return p.Contains(addr) })
	}
	return func(r *http.Request) (netip.Addr, error) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil {
			return netip.Addr{}, fmt.Errorf("webhook: peer of the connection: %w", err)
		}
		client := plain(peer.Addr())
		values := r.Header.Values(forwardedFor)
		read := 0
		for i := len(values) - 1; i >= 0 && isProxy(client); i-- {
			for rest, more := values[i], true; more && isProxy(client); {
				var last string
				rest, last, more = cutLast(rest)
				if read++; read > maxForwardedFor {
					return netip.Addr{}, errors.New("webhook: " + forwardedFor + " has too many proxies")
				}
				addr, err := parseForwarded(last)
				if err != nil {
					return netip.Addr{}, err
				}
				client = addr
			}
		}
		return client, nil
	}
}

// cutLast cuts the last element of a comma-separated list off.
func cutLast(list string) (rest, last string, more bool) {
	if i := strings.LastIndexByte(list, ','); i >= 0 {
		return list[:i], list[i+1:], true
	}
	return "", list, false
}

// parseForwarded returns an address of X-Forwarded-For: "192.0.2.1", "192.0.2.1:80",
// "2001:db8::1", "[2001:db8::1]" or "[2001:db8::1]:80".
func parseForwarded(text string) (netip.Addr, error) {
	text = strings.Trim(text, " \t")
	bare := strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	if addr, err := netip.ParseAddr(bare); err == nil {
		return plain(addr), nil
	}
	withPort, err := netip.ParseAddrPort(text)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("webhook: %s has %.64q, which is no address", forwardedFor, text)
	}
	return plain(withPort.Addr()), nil
}

// plain returns addr as IPv4 where it can be, and without a zone.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }
