package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// newTarget returns the URL of a server to forward to, and how many calls it got.
func newTarget(t *testing.T, h http.HandlerFunc) (string, *atomic.Int32) {
	t.Helper()
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		h(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/hooks/private-token-of-the-target", &calls
}

func TestACaptureIsForwardedAndTheAnswerIsShown(t *testing.T) {
	got := make(chan string, 2)
	target, _ := newTarget(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- fmt.Sprint(r.Method, " ", r.URL, " ", r.Header["X-Mine"], r.Header["X-Hop"], r.Header[requestHeader])
		w.Header().Set("Set-Cookie", "session=private")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, "<i>%s</i>", body)
	})
	g := newRig(t, "-allow-private")
	g.set(t, "name", "demo", "status", "202", "forward", target)
	if got := g.send(t, "PUT", "/in/demo/sub?x=1", "hello", "X-Mine", "1", "X-Hop", "2", "Connection", "X-Hop", statusHeader, "forged", bodyHeader, "forged"); got.status != 202 {
		t.Errorf("answered %d", got.status)
	}
	d := g.only(t, "type=bin.demo&state=done")
	a := g.only(t, "type=bin.demo.answer")
	if a.Source != d.Source || a.Key != d.Key || a.Header.Get(captureHeader) != d.UID || g.body(t, a) != "<i>hello</i>" {
		t.Errorf("the answer %+v to %+v", a, d)
	}
	if !strings.HasPrefix(a.Header.Get(statusHeader), "201 Created after ") || a.Header.Get("Set-Cookie") != "" {
		t.Errorf("headers %v", a.Header)
	}
	// Nothing of the call's URL and of this program is passed on.
	if got, want := <-got, "PUT /hooks/private-token-of-the-target [1] [] []"; got != want {
		t.Errorf("the target got %q, want %q", got, want)
	}
	if page := g.send(t, "GET", "/delivery?uid="+d.UID, "").body; !strings.Contains(page, "delivery?uid="+a.UID) {
		t.Errorf("the page of the capture does not link its answer: %s", page)
	}
	if page := g.send(t, "GET", "/bins", "").body; strings.Contains(page, "private-token") {
		t.Error("the list of bins shows the path of the URL")
	}
	// A replay forwards again.
	g.send(t, "POST", "/api/replay", `{"uid":"`+d.UID+`","why":"test","by":"test"}`, "Content-Type", "application/json")
	eventually(t, "a second answer", func() bool { return len(g.list(t, "type=bin.demo.answer")) == 2 })
}

func TestAForwardThatFailsIsDeadAndNotTriedAgain(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	failing, calls := newTarget(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) })
	elsewhere, _ := newTarget(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "http://192.0.2.1/")
		w.WriteHeader(307)
	})
	broken, _ := newTarget(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "half")
	})
	large, _ := newTarget(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, maxAnswer+1))
	})
	g := newRig(t, "-allow-private")
	for name, tt := range map[string]struct{ target, state, reason, note string }{
		"failing":   {failing, "dead", "answered 503 Service Unavailable", ""},
		"elsewhere": {elsewhere, "dead", "answered 307 Temporary Redirect", ""},
		"broken":    {broken, "dead", "answered 200 OK, and the body broke off", "It broke off."},
		"large":     {large, "done", "", "It has more than these 1048576 bytes."},
		"gone":      {gone.URL, "dead", "no answer from 127.0.0.1:", ""},
	} {
		g.set(t, "name", name, "forward", tt.target)
		g.send(t, "POST", "/in/"+name, "x")
		d := g.only(t, "type=bin."+name+"&state="+tt.state)
		if !strings.Contains(d.Reason, tt.reason) || strings.Contains(d.Reason, "private-token") {
			t.Errorf("%s: the reason %q, want %q", name, d.Reason, tt.reason)
		}
		if name == "gone" {
			continue
		}
		if a := g.only(t, "type=bin."+name+".answer"); a.Header.Get(bodyHeader) != tt.note || a.Size > maxAnswer {
			t.Errorf("%s: the answer %+v", name, a)
		}
	}
	if n := calls.Load(); n != 1 {
		t.Errorf("%d calls of the failing target, want 1", n)
	}
}

func TestAPrivateAddressIsRefused(t *testing.T) {
	target, calls := newTarget(t, func(http.ResponseWriter, *http.Request) {})
	g := newRig(t)
	for to, says := range map[string]string{
		target:                              "-allow-private",
		"https://127.0.0.1:8443/x":          "-allow-private",
		"https://[::1]/":                    "address refused",
		"https://169.254.169.254/latest":    "address refused",
		"https://localhost/":                "address refused",
		"https://user:private@example.com/": "user name or a password",
		"javascript:alert(1)":               "not absolute",
	} {
		got := form(t, g.url, "name", "x", "forward", to)
		if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, says) {
			t.Errorf("%s: %d %s, want %q", to, got.status, got.body, says)
		}
	}
	// A name may have another address when it is called.
	b := newBin("later", time.Now().Add(time.Hour))
	b.Forward = target
	if err := g.pages.bins.save(t.Context(), b, true); err != nil {
		t.Fatal(err)
	}
	g.send(t, "POST", "/in/later", "x")
	if d := g.only(t, "type=bin.later&state=dead"); !strings.Contains(d.Reason, "addrguard: ") || calls.Load() != 0 {
		t.Errorf("the reason %q, %d calls", d.Reason, calls.Load())
	}
	// The metadata of clouds are never called.
	private := newRig(t, "-allow-private")
	for _, to := range []string{"169.254.169.254", "[fd00:ec2::254]", "[fd20:ce::254]", "100.100.100.200"} {
		if got := form(t, private.url, "name", "x", "forward", "http://"+to+"/latest"); got.status != http.StatusUnprocessableEntity {
			t.Errorf("%s with -allow-private: %d", to, got.status)
		}
	}
}

func TestATargetThatHangsDelaysNoOtherBin(t *testing.T) {
	hanging, calls := newTarget(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	quick, _ := newTarget(t, func(http.ResponseWriter, *http.Request) {})
	g := newRig(t, "-allow-private", "-rate", "1000")
	g.set(t, "name", "hanging", "forward", hanging)
	g.set(t, "name", "quick", "forward", quick)
	for range maxForwards + 8 {
		if got := g.send(t, "POST", "/in/hanging", "x"); got.status != 200 {
			t.Fatalf("answered %d", got.status)
		}
	}
	eventually(t, "as many forwards as a bin may have", func() bool { return calls.Load() == binForwards })
	g.send(t, "POST", "/in/quick", "x")
	g.only(t, "type=bin.quick&state=done")
	if calls.Load() != binForwards {
		t.Errorf("%d forwards of the bin", calls.Load())
	}
	// A bin that is deleted meanwhile loses what waits, and then the rest.
	g.set(t, "name", "hanging", "do", "delete")
	if left := g.list(t, "type=bin.hanging&limit=200"); len(left) > maxForwards {
		t.Errorf("%d captures are left", len(left))
	}
}

func TestAForwardTakesNoLongerThanItsTimeout(t *testing.T) {
	hanging, _ := newTarget(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	g := newRig(t, "-allow-private")
	if g.sends.client.Timeout != 30*time.Second {
		t.Errorf("a timeout of %v", g.sends.client.Timeout)
	}
	g.sends.client.Timeout = 50 * time.Millisecond
	g.set(t, "name", "hanging", "forward", hanging)
	g.send(t, "POST", "/in/hanging", "")
	if d := g.only(t, "type=bin.hanging&state=dead"); !strings.Contains(d.Reason, "no answer from 127.0.0.1:") {
		t.Errorf("the reason %q", d.Reason)
	}
}

func TestABinThatForwardsToABinEnds(t *testing.T) {
	g := newRig(t, "-allow-private")
	g.set(t, "name", "one", "forward", g.url+"/in/two")
	g.set(t, "name", "two", "forward", g.url+"/in/one")
	g.send(t, "POST", "/in/one", "x", nameHeader, "other", answeredHeader, "forged")
	d := g.only(t, "type=bin.two&state=ignored")
	if !strings.Contains(d.Reason, "in circles") {
		t.Errorf("the reason %q", d.Reason)
	}
	if d := g.only(t, "type=bin.one"); d.Header.Get(nameHeader) != "one" || d.Header.Get(answeredHeader) != "200 OK" {
		t.Errorf("headers %v", d.Header)
	}
}
