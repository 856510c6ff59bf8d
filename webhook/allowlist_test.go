package webhook_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

func allowPrefixes(texts ...string) []netip.Prefix {
	var prefixes []netip.Prefix
	for _, s := range texts {
		prefixes = append(prefixes, netip.MustParsePrefix(s))
	}
	return prefixes
}

func TestIPAllowList(t *testing.T) {
	tests := []struct {
		name     string
		prefixes []netip.Prefix
		peer     string
		want     bool
	}{
		{"inside", allowPrefixes("192.0.2.0/24"), "192.0.2.7:1", true},
		{"inside the second", allowPrefixes("198.51.100.1/32", "192.0.2.0/24"), "192.0.2.7:1", true},
		{"outside", allowPrefixes("192.0.2.0/24"), "192.0.3.7:1", false},
		{"IPv4 written as IPv6", allowPrefixes("192.0.2.0/24"), "[::ffff:192.0.2.7]:1", true},
		{"a prefix written as IPv6", allowPrefixes("::ffff:192.0.2.0/120"), "192.0.2.7:1", true},
		{"both written as IPv6", allowPrefixes("::ffff:192.0.2.0/120"), "[::ffff:192.0.2.7]:1", true},
		{"outside a prefix written as IPv6", allowPrefixes("::ffff:192.0.2.0/120"), "192.0.3.7:1", false},
		{"IPv6", allowPrefixes("2001:db8::/32"), "[2001:db8::1]:1", true},
		{"IPv6 with a zone", allowPrefixes("fe80::/10"), "[fe80::1%eth0]:1", true},
		{"IPv4 is not in all of IPv6", allowPrefixes("::/0"), "192.0.2.7:1", false},
		{"a Unix socket", allowPrefixes("0.0.0.0/0", "::/0"), "@", false},
		{"no peer", allowPrefixes("0.0.0.0/0", "::/0"), "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := &webhook.IPAllowList{Prefixes: tt.prefixes}
			verifierValidate(t, l)
			r := httptest.NewRequest("POST", "/", nil)
			r.RemoteAddr = tt.peer
			_, err := l.Verify(r, nil)
			if (err == nil) != tt.want || err != nil && !errors.Is(err, webhook.ErrUnverified) {
				t.Errorf("Verify = %v, want accepted: %v", err, tt.want)
			}
			if (l.Admit(r) == nil) != tt.want {
				t.Error("Admit and Verify disagree")
			}
		})
	}
}

func TestIPAllowListBehindAProxy(t *testing.T) {
	prefixes := allowPrefixes("192.0.2.0/24")
	l := &webhook.IPAllowList{
		PrefixesFunc: func() []netip.Prefix { return prefixes },
		ClientIP: func(r *http.Request) (netip.Addr, error) {
			return netip.ParseAddr(r.Header.Get("X-Real-Ip"))
		},
	}
	verifierValidate(t, l)
	for addr, want := range map[string]bool{"192.0.2.1": true, "203.0.113.1": false, "": false, "no address": false} {
		r := httptest.NewRequest("POST", "/", nil)
		r.RemoteAddr = "192.0.2.1:1" // the proxy's address, which must not count
		r.Header.Set("X-Real-Ip", addr)
		if _, err := l.Verify(r, nil); (err == nil) != want {
			t.Errorf("%q: Verify = %v, want accepted: %v", addr, err, want)
		}
	}
	prefixes = nil
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("X-Real-Ip", "192.0.2.1")
	if err := l.Admit(r); !errors.Is(err, webhook.ErrUnverified) {
		t.Errorf("with an emptied list: %v, want ErrUnverified", err)
	}
	if err := l.Sign(r, nil); err == nil {
		t.Error("Sign returns nil although only the proxy knows how to pass the address")
	}
}
