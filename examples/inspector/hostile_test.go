package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

func TestHTMLOfABinCannotActAsTheInspector(t *testing.T) {
	g := newRig(t)
	g.set(t, "name", "demo", "headers", "Content-Type: text/html", "body", "<script>fetch('/api/replay')</script>")
	for _, tt := range []struct {
		name, site, dest string
		status           int
	}{
		{"a link", "same-origin", "document", 200},
		{"a page elsewhere", "cross-site", "empty", 200},
		{"a script of the inspector", "same-origin", "script", 403},
		{"a style of the inspector", "same-origin", "style", 403},
		{"a service worker", "same-origin", "serviceworker", 403},
		{"a frame", "same-origin", "iframe", 403},
		{"a fetch", "same-origin", "empty", 403},
	} {
		got := g.send(t, "GET", "/in/demo", "", "Sec-Fetch-Site", tt.site, "Sec-Fetch-Dest", tt.dest)
		h := got.header
		if got.status != tt.status || !strings.HasPrefix(h.Get("Content-Security-Policy"), "sandbox;") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", tt.name, got.status, h)
		}
	}
	if n := len(g.list(t, "")); n != 2 {
		t.Errorf("%d captures, want 2", n)
	}
}

func TestWhatCallersSendIsShownInert(t *testing.T) {
	g := newRig(t)
	g.set(t, "name", "demo")
	evil := "<script>alert(1)</script>\x1b[31m\u202e"
	g.send(t, "POST", "/in/demo/%3Cscript%3E?q=<script>", evil, "X-Evil", "<script>alert(1)</script>\u202e", "Bin-Client", "<script>")
	d := g.only(t, "source=bin.demo&state=done")
	if g.body(t, d) != evil {
		t.Errorf("the body is %q", g.body(t, d))
	}
	for _, page := range []string{"/", "/delivery?uid=" + d.UID, "/bins", "/bins?name=demo"} {
		got := g.send(t, "GET", page, "")
		if got.status != 200 || strings.Contains(got.body, "<script>") || strings.ContainsAny(got.body, "\x1b\u202e") {
			t.Errorf("%s: %d %s", page, got.status, got.body)
		}
	}
}

func TestALargeBodyIsCapturedWithoutIt(t *testing.T) {
	g := newRig(t)
	g.set(t, "name", "demo", "status", "204")
	for name, body := range map[string]io.Reader{
		"announced":     strings.NewReader(strings.Repeat("x", 25<<20)),
		"not announced": io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20)), strings.NewReader("x")),
	} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", g.url+"/in/demo/"+name[:3], body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Kept", "1")
		// A server may close the connection before all is sent.
		if resp, err := http.DefaultTransport.RoundTrip(r); err == nil {
			resp.Body.Close()
			if resp.StatusCode != 413 {
				t.Errorf("%s: answered %d", name, resp.StatusCode)
			}
		}
		eventually(t, "a capture", func() bool { return len(g.list(t, "state=done")) > 0 })
		d := g.get(t, g.list(t, "limit=1")[0].UID)
		if d.Size != 0 || d.Header.Get("X-Kept") != "1" || d.Header.Get(answeredHeader) != "413 Request Entity Too Large" || !strings.HasSuffix(d.Header.Get(bodyHeader), "more than 1048576 bytes. It is not stored.") {
			t.Errorf("%s: captured %+v", name, d)
		}
	}
	if got := g.send(t, "POST", "/in/demo", strings.Repeat("x", 1<<20)); got.status != 204 {
		t.Errorf("the largest body: %d", got.status)
	}
	if n := g.intake.memory.used.Load(); n != 0 {
		t.Errorf("%d bytes are in use", n)
	}
}

func TestMemoryForBodiesIsBounded(t *testing.T) {
	m := bodyBudget{most: bodyMemory}
	m.used.Store(bodyMemory - 3*firstBuffer)
	for name, tt := range map[string]struct {
		body io.Reader
		want error
	}{
		"a small one":  {strings.NewReader("x"), nil},
		"a large one":  {strings.NewReader(strings.Repeat("x", 8*firstBuffer)), errNoMemory},
		"a broken one": {io.MultiReader(strings.NewReader("x"), iotest.ErrReader(io.ErrUnexpectedEOF)), io.ErrUnexpectedEOF},
	} {
		_, release, err := readBody(tt.body, 1<<20, &m)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
		release()
	}
	if n := m.used.Load(); n != bodyMemory-3*firstBuffer {
		t.Errorf("%d bytes are in use", n)
	}
}

// Callers who send slowly to one bin leave memory for the others.
func TestABinTakesAPartOfTheMemoryForBodies(t *testing.T) {
	all, one, two := bodyBudget{most: bodyMemory}, bodyBudget{most: binMemory}, bodyBudget{most: binMemory}
	large := strings.Repeat("x", largestBody)
	held := 0
	for range bodyMemory / largestBody {
		_, release, err := readBody(strings.NewReader(large), largestBody, &all, &one)
		defer release()
		if err == nil {
			held++
		} else if !errors.Is(err, errNoMemory) {
			t.Fatal(err)
		}
	}
	if held < 2 {
		t.Errorf("a bin receives %d of the largest bodies at a time, want 2 or more", held)
	}
	if _, release, err := readBody(strings.NewReader(large), largestBody, &all, &two); err != nil {
		t.Errorf("another bin: %v", err)
	} else {
		release()
	}
}

// exchange writes a request as it is, and returns the status of the answer.
func exchange(t *testing.T, g *rig, request string) string {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(g.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, status, _ := strings.Cut(strings.TrimSpace(line), " ")
	return status[:3]
}

func TestTricksWithPathsReachNoOtherBinOrPage(t *testing.T) {
	g := newRig(t, "-open", "-rate", "1000")
	for _, tt := range []struct{ target, status, key string }{
		{"/in/../bins", "404", ""},
		{"/in/..", "404", ""},
		{"/in/.", "404", ""},
		{"/in/", "404", ""},
		{"/in//demo", "404", ""},
		{"/in/%64emo", "404", ""},
		{"/in/demo%2fx", "404", ""},
		{"/in%2fdemo", "404", ""},
		{"/in/Demo", "404", ""},
		{"/in/demo%00", "404", ""},
		{"/in/" + strings.Repeat("a", 41), "404", ""},
		{"/in/demo/../../bins", "200", "../../bins"},
		{"/in/demo//x/./%2e%2e/%2f", "200", "/x/./%2e%2e/%2f"},
		{"/in/demo/", "200", ""},
		{"http://other.example/in/demo/absolute", "200", "absolute"},
	} {
		got := exchange(t, g, "DELETE "+tt.target+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
		if got != tt.status {
			t.Errorf("%s: %s, want %s", tt.target, got, tt.status)
			continue
		}
		if got == "200" {
			if key := g.list(t, "limit=1")[0].Key; !strings.HasPrefix(key, strings.TrimSpace("DELETE "+tt.key)+" ") {
				t.Errorf("%s: captured as %s", tt.target, key)
			}
		}
	}
	if list := g.pages.bins.list(); len(list) != 1 || list[0].Name != "demo" {
		t.Errorf("bins %v", list)
	}
	// Paths that only begin like those of bins are of the pages.
	for _, path := range []string{"/in", "/inx/demo", "/IN/demo"} {
		if got := g.send(t, "GET", path, ""); got.status != 404 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}

func TestManyHeadersAreRefused(t *testing.T) {
	g := newRig(t, "-open")
	bomb := strings.Repeat("X-Bomb: "+strings.Repeat("x", 1000)+"\r\n", 100)
	if got := exchange(t, g, "GET /in/demo HTTP/1.1\r\nHost: localhost\r\n"+bomb+"\r\n"); got != "431" {
		t.Errorf("100 KB: %s", got)
	}
	many := make([]string, 0, 1000)
	for n := range cap(many) {
		many = append(many, fmt.Sprintf("X-%d: 1\r\n", n))
	}
	if got := exchange(t, g, "GET /in/demo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"+strings.Join(many, "")+"\r\n"); got != "200" {
		t.Errorf("1000 short ones: %s", got)
	}
	d := g.only(t, "source=bin.demo&state=done")
	if page := g.send(t, "GET", "/delivery?uid="+d.UID, ""); page.status != 200 || len(page.body) > 60_000 {
		t.Errorf("its page: %d, %d bytes", page.status, len(page.body))
	}
}

func TestWhatMayBeASecretInAURLIsNotShown(t *testing.T) {
	const long = "0123456789abcdef"
	for _, tt := range []struct {
		path, query string
		hideAll     bool
		want        string
	}{
		{"", "", false, ""},
		{"a/b", "x=1&y", false, "a/b?x=1&y"},
		{"a/" + long + "/c", "x=" + long + "&" + long, false, "a/.../c?x=...&..."},
		{"", "token=1&API_KEY=2&sig=3&code=&page=4", false, "?token=...&API_KEY=...&sig=...&code=&page=4"},
		{"t/", "x=1&y", true, ".../?x=...&..."},
	} {
		if got := shownPath(tt.path, tt.hideAll) + shownQuery(tt.query, tt.hideAll); got != tt.want {
			t.Errorf("%s?%s: %q, want %q", tt.path, tt.query, got, tt.want)
		}
	}
	if got := clip("aé\xff", 2); got != "a" {
		t.Errorf("clipped to %q", got)
	}
}
