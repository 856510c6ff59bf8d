package addrguard_test

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook/addrguard"
)

// FuzzURL judges texts with a Guard that looks up nothing, since it has a proxy. What it accepts
// must have one reading only: the host that other parsers find is the one that was judged.
func FuzzURL(f *testing.F) {
	for _, seed := range []string{
		"https://shop.example/hook?a=b", "https://93.184.215.14/", "https://[2606:2800:21f:cb07::1]:8443/", "http://shop.example:80/",
		"https://user:hunter2@shop.example/", "https://shop.example\\@10.0.0.1/", "https://shop.example:https/", "https://sh\u00f6p.example/",
		"https://0x7f.1/", "https://[fe80::1%25eth0]/", "https://[::ffff:a9fe:a9fe]/", "//shop.example/", "https:shop.example", "https://shop.example/#a",
		"https://10.0.0.1\t/", "https://[64:ff9b::a9fe:a9fe]/", "https://shop.example%2f@10.0.0.1/", "https://localhost/", "https://1.1/", "https://%31%30.0.0.1/",
	} {
		f.Add(seed)
	}
	guard := &addrguard.Guard{Proxy: &url.URL{Scheme: "http", Host: "proxy.lan:3128"}}
	f.Fuzz(func(t *testing.T, text string) {
		u := accepted(t, guard, text)
		if u == nil {
			return
		}
		_, rest, _ := strings.Cut(text, "//")
		authority := rest
		if end := strings.IndexAny(rest, "/\\?#"); end >= 0 { // where browsers end it
			authority = rest[:end]
		}
		if !strings.EqualFold(text[:len("https://")], "https://") || authority != u.Host || u.User != nil || u.Fragment != "" {
			t.Errorf("%q is accepted with the host %q, which others may read as %q", text, u.Host, authority)
		}
		if port, err := strconv.Atoi(u.Port()); u.Port() != "" && (err != nil || port != 80 && port != 443 && port < 1024 || port > 65535) {
			t.Errorf("%q is accepted with port %q", text, u.Port())
		}
		again, err := url.Parse(u.String())
		if err != nil || again.Host != u.Host || again.Scheme != u.Scheme {
			t.Errorf("%q is accepted as %q, which is read as %v, %v", text, u.Host, again, err)
		}
		if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
			if isRefused(addr) || addr.Zone() != "" {
				t.Errorf("%q is accepted, with an address that is refused", text)
			}
		} else if last := u.Hostname()[strings.LastIndexByte(u.Hostname(), '.')+1:]; isNumber(last) || strings.Trim(strings.ToLower(u.Hostname()), "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" {
			t.Errorf("%q is accepted: some read %q as an address", text, u.Hostname())
		}
	})
}

// accepted returns the URL, or nil if the Guard refuses it. Its error must have no password.
func accepted(t *testing.T, g *addrguard.Guard, text string) *url.URL {
	t.Helper()
	u, err := g.URL(t.Context(), text)
	if (err == nil) != (u != nil) {
		t.Fatalf("URL of %q returned %v, %v", text, u, err)
	}
	if err == nil {
		return u
	}
	if !errors.Is(err, addrguard.ErrURL) && !errors.Is(err, addrguard.ErrAddress) {
		t.Errorf("URL of %q returned %v, want ErrURL or ErrAddress", text, err)
	}
	if parsed, parseErr := url.Parse(text); parseErr == nil {
		word, ok := parsed.User.Password()
		if ok && len(word) > 6 && !strings.Contains(parsed.Scheme+parsed.Host, word) && strings.Contains(err.Error(), word) {
			t.Errorf("the error has the password: %v", err)
		}
	}
	return nil
}

// isNumber reports whether a browser reads the last part of a host as a number: digits, or
// 0x and hexadecimal digits (https://url.spec.whatwg.org/#ends-in-a-number-checker).
func isNumber(part string) bool {
	if part != "" && strings.Trim(part, "0123456789") == "" {
		return true
	}
	digits, hex := strings.CutPrefix(strings.ToLower(part), "0x")
	return hex && strings.Trim(digits, "0123456789abcdef") == ""
}
