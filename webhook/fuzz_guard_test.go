package webhook_test

import (
	"bytes"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

// FuzzIPAllowList compares the list with the bits of the address: an accepted address is
// inside the prefix, however the two are written.
func FuzzIPAllowList(f *testing.F) {
	f.Add("192.0.2.0/24", "192.0.2.7:443")
	f.Add("::ffff:192.0.2.0/120", "192.0.2.7:443")
	f.Add("192.0.2.0/24", "[::ffff:192.0.2.7]:443")
	f.Add("2001:db8::/32", "[2001:db8::1%eth0]:443")
	f.Add("0.0.0.0/0", "[2001:db8::1]:443")
	f.Add("::/0", "192.0.2.7:443")
	f.Add("192.0.2.0/24", "192.0.2.7")
	f.Fuzz(func(t *testing.T, prefix, peer string) {
		p, err := netip.ParsePrefix(prefix)
		list := &webhook.IPAllowList{Prefixes: []netip.Prefix{p}}
		if (list.Validate() == nil) != (err == nil) {
			t.Fatalf("prefix %q: validated %v, parsed %v", prefix, list.Validate(), err)
		}
		r := httptest.NewRequest("POST", "/", nil)
		r.RemoteAddr = peer
		_, refused := list.Verify(r, nil)
		if (list.Admit(r) == nil) != (refused == nil) {
			t.Fatal("Admit and Verify disagree")
		}
		at, badPeer := netip.ParseAddrPort(peer)
		let := err == nil && badPeer == nil && insideBits(p, at.Addr())
		if (refused == nil) != let {
			t.Fatalf("%q at %q: %v, want let in: %t", peer, prefix, refused, let)
		}
	})
}

// insideBits compares the leading bits one by one, IPv4 in IPv6 as IPv4.
func insideBits(p netip.Prefix, a netip.Addr) bool {
	network, bits := p.Addr(), p.Bits()
	if network.Is4In6() && bits >= 96 {
		network, bits = network.Unmap(), bits-96
	}
	want, got := network.AsSlice(), a.Unmap().AsSlice()
	if len(want) != len(got) {
		return false
	}
	for i := range bits {
		if (want[i/8]^got[i/8])>>(7-i%8)&1 != 0 {
			return false
		}
	}
	return true
}

// FuzzCombined checks that AnyOf accepts a body exactly if one of its members does, that
// AllOf does exactly if both do, and that neither accepts a body without a signature.
func FuzzCombined(f *testing.F) {
	f.Add([]byte(`{}`), []byte(`{}`), []byte(`{}`))
	f.Add([]byte(`{}`), []byte(`[]`), []byte(`[]`))
	f.Add([]byte(`a`), []byte(`b`), []byte(`c`))
	f.Add([]byte{}, []byte{0}, []byte{})
	one := &webhook.HMAC{Header: "X-One", Keys: webhook.Keys(webhook.NewSecret("one"))}
	two := &webhook.HMAC{Header: "X-Two", Keys: webhook.Keys(webhook.NewSecret("two"))}
	anyOf, allOf := webhook.NewAnyOf(one, two), webhook.NewAllOf(one, two)
	for _, v := range []interface{ Validate() error }{anyOf, allOf} {
		if err := v.Validate(); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, first, second, body []byte) {
		r := httptest.NewRequest("POST", "/", nil)
		if err := one.Sign(r, first); err != nil {
			t.Fatal(err)
		}
		if err := two.Sign(r, second); err != nil {
			t.Fatal(err)
		}
		byOne, byTwo := bytes.Equal(first, body), bytes.Equal(second, body)
		if _, err := anyOf.Verify(r, body); (err == nil) != (byOne || byTwo) {
			t.Fatalf("AnyOf: %v, signed by the first %t, by the second %t", err, byOne, byTwo)
		}
		if _, err := allOf.Verify(r, body); (err == nil) != (byOne && byTwo) {
			t.Fatalf("AllOf: %v, signed by the first %t, by the second %t", err, byOne, byTwo)
		}
	})
}
