package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// protectedPaths are those that need the password, with their methods.
var protectedPaths = []string{
	"GET /webhooks", "POST /webhooks", "GET /webhooks/x", "GET /webhooks/x/delete", "GET /webhooks/x/deliveries", "GET /webhooks/x/deliveries/y",
	"POST /webhooks/x/deliveries/y/resend", "POST /webhooks/x/edit", "POST /webhooks/x/test", "POST /webhooks/x/pause", "POST /webhooks/x/resume",
	"POST /webhooks/x/rotate", "POST /webhooks/x/resend", "POST /webhooks/x/delete",
}

func TestManagementNeedsAPassword(t *testing.T) {
	g := newRig(t)
	for _, route := range protectedPaths {
		method, path, _ := strings.Cut(route, " ")
		for _, header := range []string{"", "Basic eDp4", "Basic Og==", "Bearer x"} {
			got := g.do(t, method, path, nil, "Authorization", header)
			if got.status != 401 || !strings.Contains(got.header.Get("WWW-Authenticate"), "Basic") {
				t.Errorf("%s with %q: %d", route, header, got.status)
			}
		}
	}
	r, _ := http.NewRequest("GET", "/", nil)
	r.SetBasicAuth("", "another password") // during a rotation
	if got := g.do(t, "GET", "/webhooks", nil, "Authorization", r.Header.Get("Authorization")); got.status != 200 {
		t.Errorf("with the other password: %d", got.status)
	}
	for _, path := range []string{"/", "/style.css", "/icon.svg"} {
		if got := g.do(t, "GET", path, nil, "Authorization", ""); got.status != 200 {
			t.Errorf("%s without a password: %d", path, got.status)
		}
	}
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	g := newRig(t)
	page, _ := g.add(t, "http://127.0.0.1:9000/hook")
	id := strings.TrimPrefix(page, "/webhooks/")
	for _, route := range append([]string{"POST /"}, protectedPaths...) {
		method, path, _ := strings.Cut(strings.Replace(route, "/x", "/"+id, 1), " ")
		if method != http.MethodPost {
			continue
		}
		for _, header := range [][]string{
			{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"},
		} {
			got := g.do(t, method, path, url.Values{"name": {"Eve"}, "comment": {"x"}}, header...)
			if got.status != 403 || !strings.Contains(got.body, "from another site") {
				t.Errorf("%s with %q: %d", route, header, got.status)
			}
		}
	}
	if got := g.do(t, "POST", "/", url.Values{"name": {"Ada"}, "comment": {"x"}}, "Sec-Fetch-Site", "same-origin"); got.status != 200 {
		t.Errorf("a form of this site: %d", got.status)
	}
	if body := g.get(t, "/").body; strings.Contains(body, "Eve") || g.get(t, page).status != 200 {
		t.Error("a form of another site was accepted")
	}
}

// All pages have the headers, also those that say what went wrong, and none has a script or a
// style of its own.
func TestHeadersOfAllPages(t *testing.T) {
	g := newRig(t)
	page, _ := g.add(t, "http://127.0.0.1:9000/hook")
	for _, path := range []string{"/", "/?before=x", "/nowhere", "/webhooks", "/webhooks/none", page, page + "/delete", page + "/deliveries", page + "/deliveries/none"} {
		got := g.get(t, path)
		csp := got.header.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self';") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "script-src") {
			t.Errorf("%s: Content-Security-Policy %q", path, csp)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": "no-store"} {
			if got.header.Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got.header.Get(name), want)
			}
		}
		for _, part := range []string{"<script", "<style", " style=", "onclick", "javascript:"} {
			if strings.Contains(got.body, part) {
				t.Errorf("%s has %s", path, part)
			}
		}
	}
}

// A javascript: URL would be a link on a page of the management.
func TestURLsAreNoLinks(t *testing.T) {
	g := newRig(t)
	got := g.do(t, "POST", "/webhooks", url.Values{"url": {"javascript://x/%0aalert(1)"}, "event": {commentCreated}})
	if strings.Contains(got.body, `href="javascript`) || strings.Contains(g.get(t, "/webhooks").body, `href="javascript`) {
		t.Errorf("%d %s", got.status, got.body)
	}
}
