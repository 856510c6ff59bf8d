package addrguard_test

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/hookhouse/hookhouse/webhook/addrguard"
)

// A span is a range of addresses, written out so that it is compared by number and not by
// the prefixes of the package.
type span struct{ first, last string }

// refusedV4 are the rows of the table for IPv4.
var refusedV4 = []span{
	{"0.0.0.0", "0.255.255.255"},
	{"10.0.0.0", "10.255.255.255"},
	{"100.64.0.0", "100.127.255.255"},
	{"127.0.0.0", "127.255.255.255"},
	{"168.63.129.16", "168.63.129.16"},
	{"169.254.0.0", "169.254.255.255"},
	{"172.16.0.0", "172.31.255.255"},
	{"192.0.0.0", "192.0.0.255"},
	{"192.0.2.0", "192.0.2.255"},
	{"192.31.196.0", "192.31.196.255"},
	{"192.52.193.0", "192.52.193.255"},
	{"192.88.99.0", "192.88.99.255"},
	{"192.168.0.0", "192.168.255.255"},
	{"192.175.48.0", "192.175.48.255"},
	{"198.18.0.0", "198.19.255.255"},
	{"198.51.100.0", "198.51.100.255"},
	{"203.0.113.0", "203.0.113.255"},
	{"224.0.0.0", "239.255.255.255"},
	{"240.0.0.0", "255.255.255.255"},
}

// refusedV6 are the rows for IPv6, without the addresses that contain one of IPv4.
var refusedV6 = []span{
	{"::", "::fffe:ffff:ffff"},
	{"::1:0:0:0", "64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff"},
	{"64:ff9b::1:0:0", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	{"2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"},
	{"2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"},
	{"2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
	{"2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff"},
	{"3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"},
	{"4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
}

func (s span) contains(a netip.Addr) bool {
	first, last := netip.MustParseAddr(s.first), netip.MustParseAddr(s.last)
	return a.BitLen() == first.BitLen() && a.Compare(first) >= 0 && a.Compare(last) <= 0
}

// isRefused judges by the spans.
func isRefused(a netip.Addr) bool {
	a = a.WithZone("").Unmap()
	if bytes := a.As16(); a.Is6() && [12]byte(bytes[:12]) == [12]byte{0, 0x64, 0xff, 0x9b} {
		a = netip.AddrFrom4([4]byte(bytes[12:]))
	}
	spans := refusedV6
	if a.Is4() {
		spans = refusedV4
	}
	for _, s := range spans {
		if s.contains(a) {
			return true
		}
	}
	return false
}

func judge(t *testing.T, g *addrguard.Guard, a netip.Addr) bool {
	t.Helper()
	err := g.Address(a)
	if err != nil && !errors.Is(err, addrguard.ErrAddress) {
		t.Errorf("%s: %v is not ErrAddress", a, err)
	}
	return err != nil
}

func TestEachRowIsRefusedFromItsFirstToItsLastAddressAndNoFurther(t *testing.T) {
	var guard addrguard.Guard
	outside := 0
	for _, spans := range [][]span{refusedV4, refusedV6} {
		for _, s := range spans {
			first, last := netip.MustParseAddr(s.first), netip.MustParseAddr(s.last)
			for _, a := range []netip.Addr{first, last} {
				if !judge(t, &guard, a) {
					t.Errorf("%s of %s to %s is allowed", a, s.first, s.last)
				}
			}
			for _, a := range []netip.Addr{first.Prev(), last.Next()} {
				if !a.IsValid() || isRefused(a) {
					continue // the end of the numbers, or another row
				}
				outside++
				if judge(t, &guard, a) {
					t.Errorf("%s beside %s to %s is refused", a, s.first, s.last)
				}
			}
		}
	}
	if outside < 40 {
		t.Errorf("%d neighbors were judged, want at least 40", outside)
	}
}

// The forms in which an address of IPv4 can be written as one of IPv6, and zones.
func TestAnAddressIsJudgedByItsNumber(t *testing.T) {
	var guard addrguard.Guard
	for text, refused := range map[string]bool{
		"93.184.215.14":            false,
		"::ffff:93.184.215.14":     false,
		"64:ff9b::93.184.215.14":   false,
		"2606:2800:21f:cb07::1":    false,
		"2001:200::1":              false,
		"::ffff:a9fe:a9fe":         true, // 169.254.169.254
		"::ffff:10.0.0.1":          true,
		"64:ff9b::10.0.0.1":        true,
		"64:ff9b::a9fe:a9fe":       true,
		"64:ff9b::a83f:8110":       true, // 168.63.129.16
		"64:ff9b:1::5db8:d70e":     true, // NAT64 of a network
		"::5db8:d70e":              true, // compatible with IPv4
		"2002:5db8:d70e::1":        true, // 6to4
		"2001:0:5db8:d70e::1":      true, // Teredo
		"fe80::1%eth0":             true,
		"::1%lo":                   true,
		"::ffff:127.0.0.1%lo":      true,
		"2606:2800:21f:cb07::1%e0": false,
		"fd00:ec2::254":            true, // metadata of AWS
		"fec0::1":                  true,
		"ff02::1":                  true,
		"100::1":                   true,
		"100:0:0:1::1":             true,
		"5f00::1":                  true,
		"100.100.100.200":          true, // metadata of Alibaba Cloud
		"192.0.0.192":              true, // metadata of Oracle Cloud
	} {
		if got := judge(t, &guard, netip.MustParseAddr(text)); got != refused {
			t.Errorf("%s: refused %t, want %t", text, got, refused)
		}
	}
	if !judge(t, &guard, netip.Addr{}) {
		t.Error("no address is allowed")
	}
}

func TestAllowAndDeny(t *testing.T) {
	prefixes := func(texts ...string) (list []netip.Prefix) {
		for _, text := range texts {
			list = append(list, netip.MustParsePrefix(text))
		}
		return list
	}
	guard := &addrguard.Guard{
		Allow: append(prefixes("192.168.7.0/24", "::ffff:10.1.0.0/112", "fd00:7::/32", "fe80::/10", "64:ff9b::/96"), netip.Prefix{}),
		Deny:  prefixes("93.184.215.0/24", "192.168.7.13/32", "2606:2800::/32"),
	}
	for text, refused := range map[string]bool{
		"192.168.7.1":             false,
		"::ffff:192.168.7.1":      false,
		"64:ff9b::192.168.7.1":    false,
		"64:ff9b::192.168.7.13":   true, // its IPv4 address is in Deny
		"64:ff9b::192.168.9.1":    false,
		"10.1.255.255":            false,
		"10.2.0.0":                true,
		"fd00:7::1":               false,
		"fd00:8::1":               true,
		"fe80::1%eth0":            false,
		"192.168.8.1":             true,
		"192.168.7.13":            true, // also in Allow
		"93.184.215.14":           true,
		"::ffff:93.184.215.14":    true,
		"64:ff9b::93.184.215.14":  true,
		"2606:2800:21f:cb07::1":   true,
		"2606:2800:21f:cb07::1%x": true,
		"93.184.216.14":           false,
	} {
		if got := judge(t, guard, netip.MustParseAddr(text)); got != refused {
			t.Errorf("%s: refused %t, want %t", text, got, refused)
		}
	}
}

// FuzzAddress compares the Guard with the spans, by number, for each address in all forms.
func FuzzAddress(f *testing.F) {
	for _, s := range append(refusedV4, refusedV6...) {
		for _, text := range []string{s.first, s.last} {
			bytes := netip.MustParseAddr(text).As16()
			f.Add(bytes[:], "eth0")
		}
	}
	var guard addrguard.Guard
	f.Fuzz(func(t *testing.T, bytes []byte, zone string) {
		if len(bytes) != 16 && len(bytes) != 4 {
			return
		}
		a, _ := netip.AddrFromSlice(bytes)
		want := isRefused(a)
		forms := []netip.Addr{a, a.Unmap(), a.WithZone(zone)}
		if v4 := a.Unmap(); v4.Is4() {
			embedded := v4.As4()
			forms = append(forms, netip.AddrFrom16(v4.As16()), netip.AddrFrom16([16]byte{1: 0x64, 2: 0xff, 3: 0x9b, 12: embedded[0], 13: embedded[1], 14: embedded[2], 15: embedded[3]}))
		}
		for _, form := range forms {
			if got := judge(t, &guard, form); got != want {
				t.Errorf("%s: refused %t, want %t", form, got, want)
			}
		}
		if plain := a.Unmap(); !want && (plain.IsPrivate() || plain.IsLoopback() || plain.IsMulticast() || plain.IsLinkLocalUnicast() || plain.IsUnspecified()) {
			t.Errorf("%s is allowed", a)
		}
	})
}
