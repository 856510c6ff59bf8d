package main

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
)

// adminPassword is a password of the inspector.
const adminPassword = "inspector-0123456789"

// An adminStart is the program with -admin-addr.
type adminStart struct {
	inspector, hook string // URLs
	stop            func() // ends the program in order
}

// ask makes a request to the inspector. Headers are in pairs; Host is that of the request.
func ask(t *testing.T, method, url string, header ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

func TestInspectorIsForThisMachineAlone(t *testing.T) {
	p := startAdmin(t, "127.0.0.1:0")
	for _, tt := range []struct {
		name, method, path string
		header             []string
		want               int
	}{
		{"the list", "GET", "", nil, 200},
		{"its style", "GET", "style.css", nil, 200},
		{"through a proxy", "GET", "", []string{"X-Forwarded-For", "192.0.2.1"}, 403},
		{"a name that leads to this machine", "GET", "", []string{"Host", "rebound.example.com"}, 403},
		{"a form of another site", "POST", "do", []string{"Origin", "https://example.com"}, 403},
	} {
		if res := ask(t, tt.method, p.inspector+tt.path, tt.header...); res.StatusCode != tt.want {
			t.Errorf("%s: status %d, want %d", tt.name, res.StatusCode, tt.want)
		}
	}
	p.stop()
}

// The inspector shows who was refused, and why. A program without receivers answers 404.
func TestRefusedCallIsSeen(t *testing.T) {
	p := startAdmin(t, "127.0.0.1:0")
	refused := ask(t, "POST", p.hook)
	calls, err := io.ReadAll(ask(t, "GET", p.inspector+"api/calls").Body)
	if isSeen := strings.Contains(string(calls), `"status":401`); err != nil || isSeen != (refused.StatusCode == 401) || !isSeen && refused.StatusCode != 404 {
		t.Errorf("status %d, %v, and these calls: %s", refused.StatusCode, err, calls)
	}
	p.stop()
}

// A live list ends when the program does: otherwise it would be cut off after a while, and
// delay the end.
func TestViewerDoesNotDelayTheEnd(t *testing.T) {
	p := startAdmin(t, "127.0.0.1:0")
	live := bufio.NewReader(ask(t, "GET", p.inspector+"api/live").Body)
	if line, err := live.ReadString('\n'); err != nil || !strings.HasPrefix(line, "retry:") {
		t.Fatalf("the live list begins with %q, %v", line, err)
	}
	p.stop()
	if _, err := io.ReadAll(live); err != nil {
		t.Errorf("the live list was cut off: %v", err)
	}
}

func TestInspectorForOtherMachinesNeedsAPassword(t *testing.T) {
	for _, tt := range []struct{ env, says string }{
		{"", `other machines can reach ":0"`}, {inspectName + "=Aq7", inspectName + ": secret 1 of 1 has fewer than 16 characters"},
	} {
		for _, more := range [][]string{nil, {"-check"}} {
			out, err := refuse(t, []string{tt.env}, append(more, "-addr", "nowhere", "-admin-addr", ":0")...)
			if err == nil || !strings.Contains(out, tt.says) || strings.Contains(out, "Aq7") {
				t.Errorf("%v with %q: %v, want an error with %q and no password: %s", more, tt.env, err, tt.says, out)
			}
		}
	}
	p := startAdmin(t, "0.0.0.0:0", inspectName+"=another-0123456789\n"+adminPassword)
	withPassword := func(password string) string {
		return strings.Replace(p.inspector, "://", "://ada:"+password+"@", 1)
	}
	for url, want := range map[string]int{
		p.inspector: 401, p.inspector + "api/live": 401, withPassword("wrong-0123456789"): 401, withPassword(adminPassword): 200, withPassword("another-0123456789"): 200,
	} {
		res := ask(t, "GET", url, "X-Forwarded-For", "192.0.2.1", "Host", "ops.example.com") // a proxy may pass it on
		page, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != want || want == 200 && !strings.Contains(string(page), "ada") {
			t.Errorf("%s: status %d, %v, want %d and the name", url, res.StatusCode, err, want)
		}
	}
	p.stop()
}
