package main

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestACallOfAnyMethodIsCapturedAndAnswered(t *testing.T) {
	g := newRig(t)
	g.set(t, "name", "demo", "status", "418", "headers", "X-Own: one\nX-Own: two\r\nContent-Type: text/html", "body", "<b>tea</b>")
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "QUERY-1"} {
		t.Run(method, func(t *testing.T) {
			body := "text of " + method
			if method == "HEAD" || method == "TRACE" {
				body = ""
			}
			got := g.send(t, method, "/in/demo/a/b?x=1&token=abc", body, "X-Method", method, "Authorization", "Bearer private")
			want := "<b>tea</b>"
			if method == "HEAD" {
				want = ""
			}
			if got.status != 418 || got.body != want || cmp.Diff(got.header["X-Own"], []string{"one", "two"}) != "" || got.header.Get("Content-Type") != "text/html" {
				t.Errorf("answered %+v", got)
			}
			newest := g.list(t, "source=bin.demo&limit=1")[0]
			eventually(t, "the capture is done", func() bool { return g.list(t, "source=bin.demo&limit=1")[0].State == "done" })
			d := g.get(t, newest.UID)
			if d.Type != "bin.demo" || !strings.HasPrefix(d.Key, method+" a/b ") || d.Header.Get("X-Method") != method || g.body(t, d) != body {
				t.Errorf("captured %+v with body %q", d, g.body(t, d))
			}
			if d.Header.Get("Authorization") != "" || d.Header.Get(requestHeader) != method+" a/b?x=1&token=REDACTED" ||
				d.Header.Get(answeredHeader) != "418 I'm a teapot" || !strings.HasPrefix(d.Header.Get(clientHeader), "127.0.0.1:") {
				t.Errorf("headers %v", d.Header)
			}
		})
	}
}

func TestACaptureAppearsLive(t *testing.T) {
	g := newRig(t)
	g.set(t, "name", "demo")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.url+"/api/live?source=bin.demo", nil)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	g.send(t, "POST", "/in/demo/live", "hello")
	for s := bufio.NewScanner(stream.Body); s.Scan(); {
		if strings.HasPrefix(s.Text(), "data:") && strings.Contains(s.Text(), "POST live ") {
			return
		}
	}
	t.Error("the stream ended before the capture")
}

func TestABinThatNobodyMadeIsMadeOnlyIfOpen(t *testing.T) {
	closed, open := newRig(t), newRig(t, "-open")
	if got := closed.send(t, "POST", "/in/new", "x"); got.status != 404 {
		t.Errorf("not open: %d", got.status)
	}
	if got := open.send(t, "POST", "/in/new", "x"); got.status != 200 {
		t.Errorf("open: %d", got.status)
	}
	open.only(t, "source=bin.new")
	if page := open.send(t, "GET", "/bins", "").body; !strings.Contains(page, "/in/new") {
		t.Errorf("the page has no such bin: %s", page)
	}
}

// What the bins of two senders get is described as the Source of each does.
func TestABinOfASenderDescribesItsCalls(t *testing.T) {
	g := newRig(t)
	g.set(t, "name", "hub", "sender", "github")
	g.set(t, "name", "image", "sender", "dockerhub")
	sender := webhooktest.GitHub{Secret: webhook.NewSecret("a secret that no bin has")}
	first := sender.Deliver(t.Context(), g.url+"/in/hub", "push", webhooktest.GitHubPush())
	d := g.only(t, "source=github")
	if d.Type != "github.push" || d.ID != first.GUID || d.Key != "acme/app refs/heads/main" || !strings.Contains(d.Unsigned, "the bin hub") {
		t.Errorf("captured %+v", d)
	}
	if d.Header.Get("X-Github-Event") != "push" || d.Header.Get(nameHeader) != "hub" || g.body(t, d) != string(webhooktest.GitHubPush()) {
		t.Errorf("headers %v", d.Header)
	}
	if strings.Contains(d.Header.Get("X-Hub-Signature-256"), "sha256") {
		t.Error("the signature is shown")
	}
	// A call that its sender repeats is another capture.
	g.send(t, "POST", "/in/hub", string(webhooktest.GitHubPush()), "X-GitHub-Event", "push", "X-GitHub-Delivery", first.GUID, "Content-Type", "application/json")
	if n := len(g.list(t, "source=github&id="+first.GUID)); n != 2 {
		t.Errorf("%d captures, want 2", n)
	}
	var hub webhooktest.DockerHub
	hub.Deliver(t.Context(), g.url+"/in/image/short-token", webhooktest.DockerHubPush())
	d = g.only(t, "source=dockerhub&state=done") // it does not wait for the end of a burst
	if d.Type != "dockerhub.push" || d.Key != "acme/app:1.4.0" || d.Header.Get(requestHeader) != "POST ..." {
		t.Errorf("captured %+v", d)
	}
}
