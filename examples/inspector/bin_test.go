package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestABinThatCannotBeIsRefused(t *testing.T) {
	g := newRig(t)
	for _, tt := range []struct {
		name   string
		values []string
		says   string
	}{
		{"no name", []string{"name", ""}, "name: &#34;&#34; is not 1 to 40"},
		{"a name with a dot", []string{"name", ".."}, "is not 1 to 40"},
		{"a name with a slash", []string{"name", "a/b"}, "is not 1 to 40"},
		{"a name with markup", []string{"name", "<b>"}, "&lt;b&gt;"},
		{"a long name", []string{"name", strings.Repeat("a", 41)}, "is not 1 to 40"},
		{"a sender that is not known", []string{"name", "x", "sender", "gitlab"}, "sender: "},
		{"an interim status", []string{"name", "x", "status", "103"}, "one of 1xx is no answer"},
		{"a status that is none", []string{"name", "x", "status", "600"}, "status: 600 is not"},
		{"a status that is no number", []string{"name", "x", "status", "OK"}, "is no number"},
		{"a body of a status without", []string{"name", "x", "status", "204", "body", "x"}, "204 has no body"},
		{"a long body", []string{"name", "x", "body", strings.Repeat("x", maxSetBody+1)}, "body: it has 65537 bytes"},
		{"a body that is not UTF-8", []string{"name", "x", "body", "\xff"}, "not UTF-8"},
		{"a long delay", []string{"name", "x", "delay", "31s"}, "delay: 31s is not"},
		{"a negative delay", []string{"name", "x", "delay", "-1s"}, "delay: -1s is not"},
		{"a delay without a unit", []string{"name", "x", "delay", "30"}, "is no time such as"},
		{"a cookie", []string{"name", "x", "headers", "set-cookie: a=b"}, "Set-Cookie would apply to more"},
		{"a policy", []string{"name", "x", "headers", "Content-Security-Policy: none"}, "would apply to more"},
		{"a header of the connection", []string{"name", "x", "headers", "Transfer-Encoding: chunked"}, "is of the connection"},
		{"a length", []string{"name", "x", "headers", "content-length: 1"}, "is of the connection"},
		{"a line end in a header", []string{"name", "x", "headers", "X: a\rSet-Cookie: b"}, "has a line end"},
		{"another header behind CRLF", []string{"name", "x", "headers", "X: a\r\nSet-Cookie: b"}, "Set-Cookie would"},
		{"a control character in a header", []string{"name", "x", "headers", "X: \x1b[31m"}, "another character"},
		{"a header without a colon", []string{"name", "x", "headers", "X"}, "not of the form"},
		{"a name of a header with a space", []string{"name", "x", "headers", "X : a"}, "no name of a header"},
		{"many headers", []string{"name", "x", "headers", strings.Repeat("X: a\n", maxSetHeaders+1)}, "there are 33"},
		{"long headers", []string{"name", "x", "headers", "X: " + strings.Repeat("a", maxSetHeaderText)}, "they have 8195 bytes"},
		{"a life that is no choice", []string{"name", "x", "life", "9999h"}, "there is no choice"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := form(t, g.url, tt.values...)
			if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, tt.says) || !strings.Contains(got.body, "Nothing was changed") {
				t.Errorf("%d %s, want %q", got.status, got.body, tt.says)
			}
		})
	}
	if list := g.pages.bins.list(); len(list) > 0 {
		t.Errorf("made %v", list)
	}
	if got := form(t, g.url, "name", "x", "padding", strings.Repeat("x", maxForm)); got.status != 400 {
		t.Errorf("a large form: %d", got.status)
	}
}

// Who opens the address of the program finds where bins are made.
func TestThePagesOfTheInspectorLinkToTheBins(t *testing.T) {
	g := newRig(t)
	for _, page := range []string{"/", "/calls"} {
		if got := g.send(t, "GET", page, ""); got.status != 200 || !strings.Contains(got.body, `<a href="bins">Bins</a>`) {
			t.Errorf("%s: %d, without a link: %s", page, got.status, got.body)
		}
	}
}

// Who changes the answer of a bin does not change when it expires.
func TestABinExpiresAsBeforeUnlessThatIsChanged(t *testing.T) {
	g := newRig(t)
	expires := func() time.Time {
		b, _ := g.pages.bins.get("demo")
		return b.Expires
	}
	g.set(t, "name", "demo", "life", "720h")
	first := expires()
	if page := g.send(t, "GET", "/bins?name=demo", "").body; !strings.Contains(page, `<option value="" selected>as before`) {
		t.Errorf("the form chooses another time: %s", page)
	}
	g.set(t, "name", "demo", "new", "", "life", "", "status", "204")
	if got := expires(); !got.Equal(first) {
		t.Errorf("it expires at %v, not %v", got, first)
	}
	g.set(t, "name", "demo", "new", "", "life", "1h")
	if got := expires(); !got.Before(first) {
		t.Errorf("it expires at %v", got)
	}
	for name, values := range map[string][]string{
		"a bin that has expired": {"name", "gone", "new", "", "life", ""},
		"a new bin":              {"name", "fresh", "life", ""},
	} {
		if got := form(t, g.url, values...); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "expires: ") {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

// An unavailable service says when to call again only if that is set.
func TestABinAddsNoHeaderToItsStatus(t *testing.T) {
	g := newRig(t)
	g.set(t, "name", "demo", "status", "503")
	if got := g.send(t, "GET", "/in/demo", ""); got.status != 503 || got.header.Get("Retry-After") != "" {
		t.Errorf("%d %v", got.status, got.header)
	}
}

func TestABinIsSetAndDeleted(t *testing.T) {
	g := newRig(t)
	g.set(t, "name", "demo", "headers", "X-A: 1", "body", "\n<old> & text")
	if got := form(t, g.url, "name", "demo"); got.status != http.StatusUnprocessableEntity {
		t.Errorf("a second bin with the name: %d", got.status)
	}
	page := g.send(t, "GET", "/bins?name=demo", "").body
	for _, want := range []string{">\n\n&lt;old&gt; &amp; text</textarea>", "X-A: 1", `href="./?source=bin.demo"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q: %s", want, page)
		}
	}
	g.send(t, "POST", "/in/demo", "x")
	g.set(t, "name", "demo", "new", "", "status", "204")
	if got := g.send(t, "POST", "/in/demo", "y"); got.status != 204 || got.body != "" {
		t.Errorf("after the change: %+v", got)
	}
	if n := len(g.list(t, "source=bin.demo")); n != 2 {
		t.Errorf("%d captures after the change", n)
	}
	g.settle(t)
	g.set(t, "name", "demo", "do", "delete")
	if got := g.send(t, "POST", "/in/demo", "z"); got.status != 404 {
		t.Errorf("after the end: %d", got.status)
	}
	if list := g.list(t, "source=bin.demo"); len(list) > 0 {
		t.Errorf("still stored: %v", list)
	}
	if got := g.send(t, "GET", "/bins?name=demo", ""); got.status != 404 {
		t.Errorf("its page: %d", got.status)
	}
}

func TestThePagesAreGuarded(t *testing.T) {
	g := newRig(t)
	for _, tt := range []struct {
		name, method string
		header       []string
		status       int
	}{
		{"a form of another site", "POST", []string{"Sec-Fetch-Site", "cross-site", "Content-Type", "application/x-www-form-urlencoded"}, 403},
		{"a form with another Origin", "POST", []string{"Origin", "https://evil.example"}, 403},
		{"a proxy", "GET", []string{"X-Forwarded-For", "192.0.2.1"}, 403},
		{"another method", "PUT", nil, 405},
		{"an act that does not exist", "POST", nil, 400},
		{"the page", "GET", nil, 200},
	} {
		got := g.send(t, tt.method, "/bins", "", tt.header...)
		if got.status != tt.status {
			t.Errorf("%s: %d", tt.name, got.status)
		}
		if csp := got.header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; style-src 'self'; form-action 'self'") {
			t.Errorf("%s: the policy %q", tt.name, csp)
		}
	}
}

func TestHeadersAreReadAsTheyAreShown(t *testing.T) {
	want := []headerField{{"X-A", "1: 2"}, {"x-b", ""}, {"X-A", "3"}}
	got, err := parseHeader("X-A:  1: 2 \r\n\nx-b:\n  \nX-A: 3\n")
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v, -want +got\n%s", err, d)
	}
	again, err := parseHeader((&bin{Header: got}).headerText())
	if d := cmp.Diff(want, again); d != "" || err != nil {
		t.Errorf("%v, -want +got\n%s", err, d)
	}
}
