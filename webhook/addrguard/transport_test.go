package addrguard_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hookhouse/hookhouse/internal/dnstest"
	"github.com/hookhouse/hookhouse/webhook/addrguard"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// A target is a server on this host that counts its requests.
type target struct {
	*httptest.Server
	requests atomic.Int64
}

func newTarget(t *testing.T, answer http.HandlerFunc) *target {
	t.Helper()
	s := &target{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// at returns the URL of the server under another host.
func (s *target) at(host string) string {
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	return "http://" + net.JoinHostPort(host, port) + "/hook"
}

// get requests a URL and returns the response, whose body is closed.
func get(t *testing.T, c *http.Client, to string) (*http.Response, error) {
	t.Helper()
	t.Cleanup(c.CloseIdleConnections)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, to, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := c.Do(r)
	if err == nil {
		_ = response.Body.Close()
	}
	return response, err
}

func TestAConnectionIsJudgedByItsAddress(t *testing.T) {
	s := newTarget(t, nil)
	dns := &dnstest.Names{Answers: map[string][][]string{
		"rebound.example": {{"93.184.215.14"}, {"127.0.0.1"}},
		"mapped.example":  {{"::ffff:127.0.0.1"}},
		"local.example":   {{"127.0.0.1"}},
	}}
	guard := &addrguard.Guard{InsecureHTTP: true, Resolver: dns.Resolver()}
	if _, err := guard.URL(t.Context(), s.at("rebound.example")); err != nil {
		t.Fatalf("the name is public when it is registered: %v", err)
	}
	client := guard.Client()
	for _, host := range []string{"rebound.example", "mapped.example", "local.example", "127.0.0.1", "::ffff:127.0.0.1", "::1", "0.0.0.0", "::"} {
		if _, err := get(t, client, s.at(host)); !errors.Is(err, addrguard.ErrAddress) {
			t.Errorf("%s: %v, want ErrAddress", host, err)
		}
	}
	if n := s.requests.Load(); n != 0 {
		t.Errorf("the server got %d requests", n)
	}
	guard.Allow = loopback
	if _, err := get(t, client, s.at("local.example")); err != nil {
		t.Errorf("with Allow: %v", err)
	}
}

func TestARequestNeedsASchemeAndAPortThatAreAllowed(t *testing.T) {
	s := newTarget(t, nil)
	client := (&addrguard.Guard{Allow: loopback}).Client()
	for _, to := range []string{s.at("127.0.0.1"), "https://127.0.0.1:22/", "https://user:hunter2@127.0.0.1/"} {
		if _, err := get(t, client, to); !errors.Is(err, addrguard.ErrURL) {
			t.Errorf("%s: %v, want ErrURL", to, err)
		}
	}
	if n := s.requests.Load(); n != 0 {
		t.Errorf("the server got %d requests", n)
	}
}

func TestTheClientFollowsNoRedirect(t *testing.T) {
	other := newTarget(t, nil)
	s := newTarget(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) })
	response, err := get(t, (&addrguard.Guard{Allow: loopback, InsecureHTTP: true}).Client(), s.URL)
	if err != nil || response.StatusCode != http.StatusFound {
		t.Fatalf("%v, %v, want 302", response, err)
	}
	if n := other.requests.Load(); n != 0 {
		t.Errorf("the other server got %d requests", n)
	}
}

// A client of the program's own may follow redirects. Each is judged.
func TestARedirectIsJudgedAsAnyURL(t *testing.T) {
	for to, want := range map[string]error{
		"http://169.254.169.254/latest": addrguard.ErrAddress, "http://[::ffff:a9fe:a9fe]/": addrguard.ErrAddress,
		"http://127.0.0.1:22/": addrguard.ErrURL, "http://user@127.0.0.1:8080/": addrguard.ErrURL,
	} {
		s := newTarget(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) })
		guard := &addrguard.Guard{Allow: loopback, InsecureHTTP: true}
		if _, err := get(t, &http.Client{Transport: guard.Transport()}, s.URL); !errors.Is(err, want) {
			t.Errorf("redirect to %s: %v, want %v", to, err, want)
		}
	}
}

func TestAProxyOfTheEnvironmentIsIgnored(t *testing.T) {
	proxy, s := newTarget(t, nil), newTarget(t, nil)
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		t.Setenv(name, proxy.URL)
	}
	dns := &dnstest.Names{Answers: map[string][][]string{"shop.example": {{"127.0.0.1"}}, "public.example": {{"10.0.0.1"}}}}
	client := (&addrguard.Guard{Allow: loopback, InsecureHTTP: true, Resolver: dns.Resolver()}).Client()
	if _, err := get(t, client, s.at("shop.example")); err != nil {
		t.Error(err)
	}
	if _, err := get(t, client, s.at("public.example")); !errors.Is(err, addrguard.ErrAddress) {
		t.Errorf("%v, want ErrAddress", err)
	}
	if a, b := proxy.requests.Load(), s.requests.Load(); a != 0 || b != 1 {
		t.Errorf("the proxy got %d requests and the server %d, want 0 and 1", a, b)
	}
}

func TestAProxyThatIsNamedIsTrusted(t *testing.T) {
	proxy := newTarget(t, nil) // on an address that is refused
	to, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := (&addrguard.Guard{InsecureHTTP: true, Proxy: to, Resolver: (&dnstest.Names{}).Resolver()}).Client()
	if _, err := get(t, client, "http://shop.example/"); err != nil {
		t.Error(err)
	}
	if _, err := get(t, client, "http://10.0.0.1/"); !errors.Is(err, addrguard.ErrAddress) {
		t.Errorf("an address: %v, want ErrAddress", err)
	}
	if n := proxy.requests.Load(); n != 1 {
		t.Errorf("the proxy got %d requests, want 1", n)
	}
}

func TestTheHeadersOfAResponseAreBounded(t *testing.T) {
	size, encoding := 32<<10, ""
	s := newTarget(t, func(w http.ResponseWriter, r *http.Request) {
		encoding = r.Header.Get("Accept-Encoding")
		w.Header().Set("X-Large", strings.Repeat("a", size))
	})
	client := (&addrguard.Guard{Allow: loopback, InsecureHTTP: true}).Client()
	if _, err := get(t, client, s.URL); err != nil {
		t.Errorf("32 KiB: %v", err)
	}
	size = 1 << 20
	if _, err := get(t, client, s.URL); err == nil {
		t.Error("1 MiB of headers were read")
	}
	if encoding != "" {
		t.Errorf("the request accepts the encoding %q", encoding)
	}
}

func TestControlJudgesTheNetworkThePortAndTheAddress(t *testing.T) {
	var guard addrguard.Guard
	for _, test := range []struct {
		network, address string
		want             error
	}{
		{"tcp4", "93.184.215.14:443", nil},
		{"tcp6", "[2606:2800:21f:cb07::1]:8443", nil},
		{"tcp4", "93.184.215.14:25", addrguard.ErrURL},
		{"tcp4", "10.0.0.1:443", addrguard.ErrAddress},
		{"tcp6", "[::ffff:10.0.0.1]:443", addrguard.ErrAddress},
		{"tcp6", "[fe80::1%eth0]:443", addrguard.ErrAddress},
		{"udp4", "93.184.215.14:443", addrguard.ErrAddress},
		{"unix", "/run/docker.sock", addrguard.ErrAddress},
		{"tcp4", "shop.example:443", addrguard.ErrAddress},
		{"tcp4", "", addrguard.ErrAddress},
	} {
		if err := guard.Control(test.network, test.address, nil); !errors.Is(err, test.want) {
			t.Errorf("Control of %s %s returned %v, want %v", test.network, test.address, err, test.want)
		}
	}
}
