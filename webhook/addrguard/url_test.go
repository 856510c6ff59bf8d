package addrguard_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/internal/dnstest"
	"github.com/hookhouse/hookhouse/webhook/addrguard"
)

func TestURLHasTheFormThatIsRequired(t *testing.T) {
	dns := &dnstest.Names{Answers: map[string][][]string{
		"shop.example": {{"93.184.215.14", "2606:2800:21f:cb07::1"}}, "under_score.shop.example": {{"93.184.215.14"}},
	}}
	guard := &addrguard.Guard{Resolver: dns.Resolver()}
	for text, want := range map[string]error{
		"https://shop.example/hook?a=b":          nil,
		"HTTPS://Shop.Example/":                  nil,
		"https://shop.example:443/":              nil,
		"https://shop.example:80/":               nil,
		"https://shop.example:1024/":             nil,
		"https://shop.example:65535/":            nil,
		"https://under_score.shop.example":       nil,
		"https://93.184.215.14/":                 nil,
		"https://[2606:2800:21f:cb07::1]:8443/":  nil,
		"https://[64:ff9b::5db8:d70e]/":          nil,
		"https://shop.example:/":                 nil,
		"":                                       addrguard.ErrURL,
		"/hook":                                  addrguard.ErrURL,
		"//shop.example/hook":                    addrguard.ErrURL,
		"shop.example/hook":                      addrguard.ErrURL,
		"https:shop.example":                     addrguard.ErrURL,
		"https:///hook":                          addrguard.ErrURL,
		"http://shop.example/":                   addrguard.ErrURL,
		"ftp://shop.example/":                    addrguard.ErrURL,
		"file:///etc/passwd":                     addrguard.ErrURL,
		"mailto:a@shop.example":                  addrguard.ErrURL,
		"https://user@shop.example/":             addrguard.ErrURL,
		"https://user:hunter2@shop.example/":     addrguard.ErrURL,
		"https://@shop.example/":                 addrguard.ErrURL,
		"https://shop.example/#part":             addrguard.ErrURL,
		"https://shop.example/#":                 addrguard.ErrURL,
		"https://shop.example:0/":                addrguard.ErrURL,
		"https://shop.example:22/":               addrguard.ErrURL,
		"https://shop.example:1023/":             addrguard.ErrURL,
		"https://shop.example:65536/":            addrguard.ErrURL,
		"https://shop.example:https/":            addrguard.ErrURL,
		"https://sh\u00f6p.example/":             addrguard.ErrURL,
		"https://shop%E3%80%82example/":          addrguard.ErrURL,
		"https://shop.example\\@10.0.0.1/":       addrguard.ErrURL,
		"https://shop example/":                  addrguard.ErrURL,
		"https://shop.example/\r\nHost: x":       addrguard.ErrURL,
		"https://shop..example/":                 addrguard.ErrURL,
		"https://shop.example./":                 addrguard.ErrURL,
		"https://.":                              addrguard.ErrURL,
		"https://" + strings.Repeat("a", 64):     addrguard.ErrURL,
		"https://" + strings.Repeat("a.", 127):   addrguard.ErrURL,
		"https://" + strings.Repeat("a.", 130):   addrguard.ErrURL,
		"https://2130706433/":                    addrguard.ErrURL,
		"https://127.1/":                         addrguard.ErrURL,
		"https://0x7f000001/":                    addrguard.ErrURL,
		"https://0xffffffff7f000001ff/":          addrguard.ErrURL,
		"https://0x7f.0x0.0x0.0x1/":              addrguard.ErrURL,
		"https://0177.0.0.01/":                   addrguard.ErrURL,
		"https://shop.example.99999999999999999": addrguard.ErrURL,
		"https://127.0.0.1/":                     addrguard.ErrAddress,
		"https://[::1]/":                         addrguard.ErrAddress,
		"https://[::ffff:a9fe:a9fe]/":            addrguard.ErrAddress,
		"https://[fe80::1%25eth0]/":              addrguard.ErrAddress,
		"https://[2606:2800:21f:cb07::1%25e0]/":  addrguard.ErrAddress,
		"https://169.254.169.254/latest":         addrguard.ErrAddress,
		"https://missing.example/":               addrguard.ErrLookup,
	} {
		u, err := guard.URL(t.Context(), text)
		if !errors.Is(err, want) || (err == nil) != (u != nil) {
			t.Errorf("URL of %q returned %v, %v, want %v", text, u, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error has the password: %v", err)
		}
	}
	long := "https://shop.example/" + strings.Repeat("a", 2048-len("https://shop.example/"))
	if _, err := guard.URL(t.Context(), long); err != nil {
		t.Errorf("a URL of 2048 bytes: %v", err)
	}
	if _, err := guard.URL(t.Context(), long+"a"); !errors.Is(err, addrguard.ErrURL) {
		t.Errorf("a URL of 2049 bytes: %v", err)
	}
}

func TestURLJudgesAllAddressesOfAName(t *testing.T) {
	dns := &dnstest.Names{Answers: map[string][][]string{
		"public.example": {{"93.184.215.14"}},
		"second.example": {{"93.184.215.14", "10.0.0.1"}},
		"six.example":    {{"93.184.215.14", "fd00::1"}},
		"empty.example":  {{}},
		"localhost.test": {{"127.0.0.1"}},
	}}
	guard := &addrguard.Guard{Resolver: dns.Resolver()}
	for host, want := range map[string]error{
		"public.example": nil, "second.example": addrguard.ErrAddress, "six.example": addrguard.ErrAddress,
		"empty.example": addrguard.ErrLookup, "localhost.test": addrguard.ErrAddress,
	} {
		if _, err := guard.URL(t.Context(), "https://"+host+"/"); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", host, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := guard.URL(ctx, "https://public.example/"); !errors.Is(err, addrguard.ErrLookup) || !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of ctx: %v, want ErrLookup and context.Canceled", err)
	}
}

func TestURLInALocalNetwork(t *testing.T) {
	dns := &dnstest.Names{Answers: map[string][][]string{"printer.lan": {{"192.168.7.9"}}, "db.lan": {{"192.168.8.9"}}}}
	guard := &addrguard.Guard{
		Allow: []netip.Prefix{netip.MustParsePrefix("192.168.7.0/24")}, InsecureHTTP: true, Resolver: dns.Resolver(),
		Port: func(port uint16) bool { return port == 80 || port == 631 },
	}
	for text, want := range map[string]error{
		"http://printer.lan/": nil, "http://printer.lan:631/": nil, "http://192.168.7.1/": nil,
		"http://printer.lan:8080/": addrguard.ErrURL, "https://printer.lan/": addrguard.ErrURL, // port 443
		"http://db.lan/": addrguard.ErrAddress, "ws://printer.lan/": addrguard.ErrURL,
	} {
		if _, err := guard.URL(t.Context(), text); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
}

func TestURLWithAProxyLooksUpNothing(t *testing.T) {
	guard := &addrguard.Guard{Proxy: &url.URL{Scheme: "http", Host: "proxy.lan:3128"}, Resolver: (&dnstest.Names{}).Resolver()}
	if _, err := guard.URL(t.Context(), "https://missing.example/"); err != nil {
		t.Errorf("a name: %v", err)
	}
	if _, err := guard.URL(t.Context(), "https://10.0.0.1/"); !errors.Is(err, addrguard.ErrAddress) {
		t.Errorf("an address: %v, want ErrAddress", err)
	}
}

func TestALookupThatFailsShowsNoAddress(t *testing.T) {
	guard := addrguard.Guard{Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{
			Op: "read", Net: "udp", Err: errors.New("connection refused"),
			Source: &net.UDPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 41000}, Addr: &net.UDPAddr{IP: net.IPv4(10, 0, 0, 53), Port: 53},
		}
	}}}
	_, err := guard.URL(t.Context(), "https://a.example/")
	if !errors.Is(err, addrguard.ErrLookup) || strings.Contains(err.Error(), "10.") {
		t.Errorf("URL = %v, want ErrLookup without an address", err)
	}
}
