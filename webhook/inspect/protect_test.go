package inspect_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/internal/panictest"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/inspect"
)

func TestNewNeedsAStoreAndProtect(t *testing.T) {
	if in, err := inspect.New(nil, ann); in != nil || err == nil {
		t.Errorf("without a store: %v, %v", in, err)
	}
	if in, err := inspect.New(&webhook.MemInbox{}, nil); in != nil || err == nil || !strings.Contains(err.Error(), "LoopbackOnly") {
		t.Errorf("without protect: %v, %v, want an error that names LoopbackOnly", in, err)
	}
}

func TestLoopbackOnly(t *testing.T) {
	r := newRig(t)
	r.Inspector = r.inspector(r.inbox, inspect.LoopbackOnly)
	for _, tt := range []struct {
		name, from, host string
		header           string
		want             int
	}{
		{"localhost", "127.0.0.1:999", "localhost:8080", "", 200},
		{"an address", "127.0.0.1:999", "127.0.0.1", "", 200},
		{"IPv6", "[::1]:999", "[::1]:8080", "", 200},
		{"IPv4 in IPv6", "[::ffff:127.0.0.1]:999", "localhost", "", 200},
		{"another machine", "192.0.2.7:999", "localhost", "", 403},
		{"another machine in IPv6", "[2001:db8::1]:999", "localhost", "", 403},
		{"a name that was rebound", "127.0.0.1:999", "evil.example:8080", "", 403},
		{"a name that begins well", "127.0.0.1:999", "localhost.evil.example", "", 403},
		{"no Host", "127.0.0.1:999", "", "", 403},
		{"a proxy", "127.0.0.1:999", "localhost", "X-Forwarded-For", 403},
		{"a proxy by the standard", "127.0.0.1:999", "localhost", "Forwarded", 403},
		{"no address", "", "localhost", "", 403},
	} {
		request := httptest.NewRequest("GET", "/debug/hooks/api/overview", nil)
		request.RemoteAddr, request.Host = tt.from, tt.host
		if tt.header != "" {
			request.Header.Set(tt.header, "192.0.2.7")
		}
		w := httptest.NewRecorder()
		request.Pattern = "/debug/hooks/"
		r.ServeHTTP(w, request)
		if w.Code != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, w.Code, tt.want)
		}
	}
}

// What a proxy on this machine passes on comes from a loopback address. By default nginx names
// neither itself nor its client, and puts the address of the inspector in Host; see
// https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header. It speaks
// HTTP/1.0, which no browser does.
func TestLoopbackOnlyRefusesProxies(t *testing.T) {
	r := newRig(t)
	r.Inspector = r.inspector(r.inbox, inspect.LoopbackOnly)
	for name, header := range map[string]http.Header{
		"nginx by default": nil,
		"the scheme":       {"X-Forwarded-Proto": {"https"}},
		"an empty header":  {"X-Forwarded-For": {""}},
		"a port":           {"X-Forwarded-Port": {"443"}},
		"Cloudflare":       {"Cf-Connecting-Ip": {"192.0.2.7"}},
		"a client":         {"True-Client-Ip": {"192.0.2.7"}},
		"Envoy":            {"X-Envoy-External-Address": {"192.0.2.7"}},
		"a public page":    {"Referer": {"https://hooks.example/debug/hooks/"}, "Sec-Fetch-Site": {"same-origin"}},
		"a public origin":  {"Origin": {"https://hooks.example"}, "Sec-Fetch-Site": {"same-origin"}},
	} {
		request := httptest.NewRequest("GET", "/debug/hooks/api/overview", nil)
		request.RemoteAddr, request.Host = "127.0.0.1:999", "127.0.0.1:8080"
		if request.Header = header; header == nil {
			request.Header, request.Proto, request.ProtoMinor = http.Header{}, "HTTP/1.0", 0
		}
		if w := r.serve(request); w.Code != 403 {
			t.Errorf("%s: %d, want 403", name, w.Code)
		}
	}
	for name, header := range map[string]http.Header{
		"a page of its own": {"Referer": {"http://127.0.0.1:8080/debug/hooks/"}, "Origin": {"http://127.0.0.1:8080"}, "Sec-Fetch-Site": {"same-origin"}},
		"a link elsewhere":  {"Referer": {"https://wiki.example/"}, "Sec-Fetch-Site": {"cross-site"}},
	} {
		request := httptest.NewRequest("GET", "/debug/hooks/api/overview", nil)
		request.RemoteAddr, request.Host, request.Header = "127.0.0.1:999", "127.0.0.1:8080", header
		if w := r.serve(request); w.Code != 200 {
			t.Errorf("%s: %d, want 200", name, w.Code)
		}
	}
}

func TestBasicAuth(t *testing.T) {
	r := newRig(t)
	users := map[string]webhook.Secret{"ops": webhook.NewSecret("right"), "jane": webhook.NewSecret("hers")}
	r.Inspector = r.inspector(r.inbox, inspect.BasicAuth(users))
	delete(users, "ops")
	for _, tt := range []struct {
		name, password string
		want           int
	}{
		{"ops", "right", 200}, {"jane", "hers", 200}, {"ops", "hers", 401}, {"ops", "", 401}, {"nobody", "", 401}, {"", "right", 401}, {"Ops", "right", 401},
	} {
		request := httptest.NewRequest("GET", "/debug/hooks/api/overview", nil)
		request.SetBasicAuth(tt.name, tt.password)
		w := r.serve(request)
		if w.Code != tt.want || w.Code == 401 && !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Basic ") {
			t.Errorf("%s with %q: %d, want %d", tt.name, tt.password, w.Code, tt.want)
		}
	}
	if w := r.get("api/overview"); w.Code != 401 {
		t.Errorf("without credentials: %d", w.Code)
	}
	for _, bad := range []map[string]webhook.Secret{nil, {"": webhook.NewSecret("x")}, {"a:b": webhook.NewSecret("x")}, {"ops": {}}} {
		panictest.Require(t, "inspect: BasicAuth needs", func() { inspect.BasicAuth(bad) })
	}
}

func TestRequestsOfOtherSitesAreRefused(t *testing.T) {
	r := newRig(t)
	d := r.put(delivery("", "{}"))
	r.settle(webhook.Dead, "")
	for _, tt := range []struct {
		name   string
		header http.Header
		want   int
	}{
		{"another site", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403},
		{"another name of this site", http.Header{"Sec-Fetch-Site": {"same-site"}}, 403},
		{"an old browser on another site", http.Header{"Origin": {"https://evil.example"}}, 403},
		{"a page without an origin", http.Header{"Origin": {"null"}}, 403},
		{"this site", http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {"http://example.com"}}, 200},
	} {
		request := httptest.NewRequest("POST", "/debug/hooks/api/replay", strings.NewReader(`{"uid":"`+d.UID+`","why":"forged"}`))
		request.Header = tt.header
		request.Header.Set("Content-Type", "application/json")
		if w := r.serve(request); w.Code != tt.want {
			t.Errorf("%s: %d, want %d: %s", tt.name, w.Code, tt.want, w.Body)
		}
		if s := r.state(d); (s == webhook.Waiting) != (tt.want == 200) {
			t.Errorf("%s: the delivery is %s", tt.name, s)
		}
	}
}

func TestHostsAreTheNamesByWhichItIsCalled(t *testing.T) {
	r := newRig(t)
	r.Hosts = []string{"ops.example.com"}
	for host, want := range map[string]int{"ops.example.com": 200, "OPS.example.com:8443": 200, "evil.example": 421, "": 421, "[::1]:80": 421} {
		request := httptest.NewRequest("GET", "/debug/hooks/api/overview", nil)
		request.Host = host
		if w := r.serve(request); w.Code != want {
			t.Errorf("%q: %d, want %d", host, w.Code, want)
		}
	}
}
