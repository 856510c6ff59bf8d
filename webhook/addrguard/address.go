package addrguard

import (
	"fmt"
	"net/netip"
)

// A row is a range of addresses that are refused.
type row struct {
	prefix netip.Prefix
	what   string
}

var (
	globalUnicast = netip.MustParsePrefix("2000::/3")
	nat64         = netip.MustParsePrefix("64:ff9b::/96")

	// table is what the documentation of the package lists. Its IPv6 rows are those inside
	// globalUnicast.
	table = rows(
		"0.0.0.0/8", "this host",
		"10.0.0.0/8", "private networks",
		"100.64.0.0/10", "carrier networks",
		"127.0.0.0/8", "this host",
		"168.63.129.16/32", "the host of Azure",
		"169.254.0.0/16", "link-local addresses",
		"172.16.0.0/12", "private networks",
		"192.0.0.0/24", "protocols",
		"192.0.2.0/24", "documentation",
		"192.31.196.0/24", "AS112",
		"192.52.193.0/24", "AMT",
		"192.88.99.0/24", "6to4",
		"192.168.0.0/16", "private networks",
		"192.175.48.0/24", "AS112",
		"198.18.0.0/15", "benchmarks",
		"198.51.100.0/24", "documentation",
		"203.0.113.0/24", "documentation",
		"224.0.0.0/4", "multicast",
		"240.0.0.0/4", "reserved addresses",

		"2001::/23", "protocols",
		"2001:db8::/32", "documentation",
		"2002::/16", "6to4",
		"2620:4f:8000::/48", "AS112",
		"3fff::/20", "documentation",
	)
)

func rows(texts ...string) (list []row) {
	for i := 0; i < len(texts); i += 2 {
		list = append(list, row{netip.MustParsePrefix(texts[i]), texts[i+1]})
	}
	return list
}

// Address judges an address. The error wraps [ErrAddress]. A zone is ignored.
func (g *Guard) Address(addr netip.Addr) error {
	if !addr.IsValid() {
		return fmt.Errorf("%w: it is not an address", ErrAddress)
	}
	// No prefix contains an address with a zone, and none of IPv4 one that is written as
	// IPv6.
	plain := addr.WithZone("").Unmap()
	if contains(g.Deny, plain) || nat64.Contains(plain) && contains(g.Deny, embedded(plain)) {
		return fmt.Errorf("%w: %s is in Deny", ErrAddress, addr)
	}
	if contains(g.Allow, plain) {
		return nil
	}
	if nat64.Contains(plain) {
		if err := g.Address(embedded(plain)); err != nil {
			return fmt.Errorf("%w, by NAT64 as %s", err, addr)
		}
		return nil
	}
	if plain.Is6() && !globalUnicast.Contains(plain) {
		return fmt.Errorf("%w: %s is not global unicast (%s)", ErrAddress, addr, globalUnicast)
	}
	for _, r := range table {
		if r.prefix.Contains(plain) {
			return fmt.Errorf("%w: %s is for %s (%s)", ErrAddress, addr, r.what, r.prefix)
		}
	}
	return nil
}

// embedded returns the IPv4 address at the end of one of nat64.
func embedded(addr netip.Addr) netip.Addr {
	bytes := addr.As16()
	return netip.AddrFrom4([4]byte(bytes[12:]))
}

// contains reports whether one of the prefixes contains addr, which has no zone and is
// not IPv4 written as IPv6. A prefix may be.
func contains(prefixes []netip.Prefix, addr netip.Addr) bool {
	for _, p := range prefixes {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		if p.Contains(addr) {
			return true
		}
	}
	return false
}
