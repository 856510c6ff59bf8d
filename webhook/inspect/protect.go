package inspect

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/hookhouse/hookhouse/webhook"
)

// A Protect decides who may use an [Inspector]. It reports ok for a person who may, and
// returns their name, with which acts are recorded; if the name is empty, the person
// states it with each act. If it does not report ok, it has answered the request, for
// example with 401 or a redirect to a page of log in. It is called for each request,
// concurrently.
type Protect func(w http.ResponseWriter, r *http.Request) (by string, ok bool)

// BasicAuth returns a Protect that lets in who sends one of the names with its password, by
// HTTP Basic authentication. Use it with TLS. It copies the map. It panics if there are no
// users, or if a name or a password is empty.
func BasicAuth(users map[string]webhook.Secret) Protect {
	known := make(map[string]webhook.Secret, len(users))
	for name, password := range users {
		if name == "" || password.IsZero() || strings.Contains(name, ":") {
			panic("inspect: BasicAuth needs names without a colon, and passwords that are not empty")
		}
		known[name] = password
	}
	if len(known) == 0 {
		panic("inspect: BasicAuth needs a user")
	}
	return func(w http.ResponseWriter, r *http.Request) (string, bool) {
		name, given, _ := r.BasicAuth()
		password := known[name] // the zero Secret equals nothing
		if password.Equal([]byte(given)) {
			return name, true
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="inspector", charset="UTF-8"`)
		http.Error(w, "a name and a password are needed", http.StatusUnauthorized)
		return "", false
	}
}

// proxied are headers of requests that a proxy has passed on, and so is each whose name
// begins with X-Forwarded.
var proxied = []string{
	"Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "Fastly-Client-Ip", "X-Envoy-External-Address", "X-Original-Forwarded-For",
}

// LoopbackOnly is a [Protect] that lets in everybody on this machine, and nobody else. It
// refuses a request
//
//   - whose connection does not come from a loopback address,
//   - whose Host is not localhost or a loopback address, so that a page elsewhere cannot
//     reach the inspector through a browser on this machine (DNS rebinding),
//   - that a proxy on this machine has passed on, as its headers say, or the page that it
//     comes from, or HTTP/1.0, which proxies speak and browsers do not.
//
// A proxy can hide what it is: then everybody is let in whom it serves, and so it is with a
// tunnel to this machine. Do not let one pass on this path, or use [BasicAuth]. Use that too
// where all users of the machine are too many.
func LoopbackOnly(w http.ResponseWriter, r *http.Request) (by string, ok bool) {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !from.Addr().Unmap().IsLoopback() || isProxied(r) || !isLoopbackName(hostname(r.Host)) {
		http.Error(w, "this page is for the machine itself, by the name localhost, and not through a proxy", http.StatusForbidden)
		return "", false
	}
	return "", true
}

// isProxied reports whether a request that claims to be made on this machine shows that it
// was not.
func isProxied(r *http.Request) bool {
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Forwarded") || slices.Contains(proxied, name) {
			return true
		}
	}
	page := r.Header.Get("Origin")
	if page == "" && r.Header.Get("Sec-Fetch-Site") == "same-origin" {
		page = r.Header.Get("Referer") // otherwise a link elsewhere may have led here
	}
	if page != "" {
		if u, err := url.Parse(page); err != nil || !isLoopbackName(u.Hostname()) {
			return true
		}
	}
	return !r.ProtoAtLeast(1, 1)
}

func isLoopbackName(name string) bool {
	if strings.EqualFold(name, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(name)
	return err == nil && a.Unmap().IsLoopback()
}

// hostname returns the Host of a request without its port.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

// allowsHost reports whether the inspector may be called by the Host of a request.
func (in *Inspector) allowsHost(host string) bool {
	return in.Hosts == nil || slices.ContainsFunc(in.Hosts, func(h string) bool { return strings.EqualFold(h, hostname(host)) })
}
