package webhook_test

import (
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
)

func TestClientIPBehind(t *testing.T) {
	proxies := allowPrefixes("10.0.0.0/8", "::ffff:192.0.2.0/120", "2001:db8:ffff::/48")
	tests := []struct {
		name   string
		peer   string
		header []string // X-Forwarded-For
		want   string   // if empty, an error
	}{
		{"a proxy", "10.0.0.1:80", []string{"203.0.113.7"}, "203.0.113.7"},
		{"two proxies", "10.0.0.1:80", []string{"203.0.113.7, 192.0.2.4"}, "203.0.113.7"},
		{"what the client wrote does not count", "10.0.0.1:80", []string{"127.0.0.1, 10.0.0.9, 203.0.113.7"}, "203.0.113.7"},
		{"what the client wrote need not parse", "10.0.0.1:80", []string{"<script>, 203.0.113.7"}, "203.0.113.7"},
		{"a header of several lines", "10.0.0.1:80", []string{"127.0.0.1", "203.0.113.7", "10.2.3.4,192.0.2.4"}, "203.0.113.7"},
		{"no proxy wrote it", "203.0.113.9:80", []string{"127.0.0.1"}, "203.0.113.9"},
		{"no header", "10.0.0.1:80", nil, "10.0.0.1"},
		{"proxies only", "10.0.0.1:80", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"a port", "10.0.0.1:80", []string{"203.0.113.7:4711"}, "203.0.113.7"},
		{"IPv6", "[2001:db8:ffff::1]:80", []string{"2001:db8::7"}, "2001:db8::7"},
		{"IPv6 in brackets", "10.0.0.1:80", []string{"[2001:db8::7]"}, "2001:db8::7"},
		{"IPv6 with a port", "10.0.0.1:80", []string{"[2001:db8::7]:4711"}, "2001:db8::7"},
		{"IPv6 with a zone", "10.0.0.1:80", []string{"fe80::1%eth0"}, "fe80::1"},
		{"IPv4 written as IPv6", "[::ffff:10.0.0.1]:80", []string{"::ffff:203.0.113.7"}, "203.0.113.7"},
		{"a name", "10.0.0.1:80", []string{"203.0.113.7, unknown"}, ""},
		{"nothing", "10.0.0.1:80", []string{""}, ""},
		{"an empty element", "10.0.0.1:80", []string{"203.0.113.7,"}, ""},
		{"a Unix socket", "@", []string{"203.0.113.7"}, ""},
		{"many proxies", "10.0.0.1:80", []string{"203.0.113.7" + strings.Repeat(",10.0.0.1", 31)}, "203.0.113.7"},
		{"too many proxies", "10.0.0.1:80", []string{"203.0.113.7" + strings.Repeat(",10.0.0.1", 32)}, ""},
	}
	clientIP := webhook.ClientIPBehind(proxies...)
	proxies[0] = netip.MustParsePrefix("203.0.113.0/24") // is no longer used
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/", nil)
			r.RemoteAddr = tt.peer
			r.Header["X-Forwarded-For"] = tt.header
			got, err := clientIP(r)
			if tt.want == "" {
				if err == nil || got.IsValid() {
					t.Errorf("client = %v, %v; want an error", got, err)
				}
				return
			}
			if err != nil || got.String() != tt.want {
				t.Errorf("client = %v, %v; want %s", got, err, tt.want)
			}
		})
	}
}

func TestClientIPBehindPanicsOnMisuse(t *testing.T) {
	verifierPanics(t, "no proxies", func() { webhook.ClientIPBehind() })
	verifierPanics(t, "an invalid prefix", func() { webhook.ClientIPBehind(netip.Prefix{}) })
}

func TestClientIPBehindWithIPAllowList(t *testing.T) {
	l := &webhook.IPAllowList{Prefixes: allowPrefixes("203.0.113.0/24"), ClientIP: webhook.ClientIPBehind(allowPrefixes("10.0.0.0/8")...)}
	verifierValidate(t, l)
	r := httptest.NewRequest("POST", "/", nil)
	r.RemoteAddr = "10.0.0.1:80"
	r.Header.Set("X-Forwarded-For", "203.0.113.7, 198.51.100.1")
	if _, err := l.Verify(r, nil); err == nil {
		t.Error("an address that the client wrote is accepted")
	}
	r.Header.Set("X-Forwarded-For", "198.51.100.1, 203.0.113.7")
	if _, err := l.Verify(r, nil); err != nil {
		t.Errorf("Verify = %v", err)
	}
}
