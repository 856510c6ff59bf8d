package inspect_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestTheRingIsBoundedByNumber(t *testing.T) {
	r := newRig(t)
	r.Calls = 3
	h := r.receiver(gitHubSource(ours))
	sendGitHub(t, h, ours, webhooktest.GitHubPush())
	for range 10 {
		sendGitHub(t, h, theirs, webhooktest.GitHubPush())
	}
	list := decode[calls](t, r.get("api/calls"))
	if len(list.Calls) != 4 || list.Calls[3].N != 1 || list.Calls[2].N != 9 || list.Lost != 7 {
		t.Errorf("refused calls push out others: %+v", list)
	}
	if page := r.get("calls").Body.String(); !strings.Contains(page, "7 refused calls are no longer kept") || !strings.Contains(page, "A restart loses them") {
		t.Errorf("%s", page)
	}
	if w := r.get("call?n=5"); w.Code != 404 {
		t.Errorf("a call that is gone: %d", w.Code)
	}
	r.Calls = -1
	sendGitHub(t, h, theirs, webhooktest.GitHubPush())
	if list := decode[calls](t, r.get("api/calls")); len(list.Calls) != 4 {
		t.Errorf("a call was kept: %+v", list)
	}
}

func TestTheRingIsBoundedByBytes(t *testing.T) {
	r := newRig(t)
	r.CallBytes = 64 << 10
	h := r.receiver(gitHubSource(ours))
	sendGitHub(t, h, ours, webhooktest.GitHubPush())
	for range 20 {
		sendGitHub(t, h, theirs, []byte(`"`+strings.Repeat("x", 1<<20)+`"`))
	}
	list := decode[calls](t, r.get("api/calls"))
	if n := len(list.Calls); n < 2 || n > 5 || list.Calls[n-1].N != 1 || list.Lost != int64(21-n) {
		t.Errorf("%d calls, %d lost", n, list.Lost)
	}
	c := r.last()
	if len(c.Body) > 16<<10 || !c.BodyCut || c.Read != 1<<20+2 || !strings.Contains(c.WhyNote, "Only the beginning of the body is kept") {
		t.Errorf("%d bytes, cut %t, %d read, %s", len(c.Body), c.BodyCut, c.Read, c.WhyNote)
	}
	r.CallBytes = 1
	sendGitHub(t, h, theirs, webhooktest.GitHubPush())
	if list := decode[calls](t, r.get("api/calls")); len(list.Calls) != 0 {
		t.Errorf("no memory, and %d calls", len(list.Calls))
	}
}

func TestLargeHeadersAreCut(t *testing.T) {
	r := newRig(t)
	h := r.receiver(gitHubSource(ours))
	request := webhooktest.NewRequest(gitHubSource(theirs), "/hooks/github?"+strings.Repeat("q", 100<<10), []byte("{}"))
	for i := range 100 {
		request.Header.Set(fmt.Sprint("X-Large-", i), strings.Repeat("x", 10<<10))
	}
	serveCall(h, request)
	c := r.last()
	if n := len(c.Header); n < 4 || n > 12 || c.Header.Get("X-Hub-Signature-256") != "REDACTED" || c.Why[0].Cause != "secret_wrong" {
		t.Errorf("%d headers, %+v", n, c.Why)
	}
	if page := r.get(fmt.Sprint("call?n=", c.N)).Body; page.Len() > 200<<10 || !strings.Contains(page.String(), "large ones are not kept") {
		t.Errorf("%d bytes", page.Len())
	}
}

// Many bodies that arrive at the same time share the memory of the ring.
func TestBodiesOfCallsInProgressAreBounded(t *testing.T) {
	r := newRig(t)
	r.CallBytes = 64 << 10
	begun, goOn := make(chan bool), make([]chan bool, 9)
	h := r.Watch(gitHubSource(ours), http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.ReadAll(req.Body)
		begun <- true
		<-goOn[req.ContentLength-16<<10]
		w.WriteHeader(http.StatusForbidden)
	}))
	ended := make(chan bool)
	start := func(i int) {
		goOn[i] = make(chan bool)
		go func() {
			serveCall(h, httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", 16<<10+i))))
			ended <- true
		}()
		<-begun
	}
	for i := range 8 {
		start(i)
	}
	for i := range 8 { // the newest remain in the ring
		close(goOn[i])
		<-ended
	}
	if c := r.last(); len(c.Body) > 8<<10 || !c.BodyCut || c.Read != 16<<10+7 {
		t.Errorf("with seven others in progress %d of %d bytes were kept", len(c.Body), c.Read)
	}
	start(8)
	close(goOn[8])
	<-ended
	if c := r.last(); len(c.Body) != 16<<10 {
		t.Errorf("the memory was not given back: %d bytes", len(c.Body))
	}
}

func TestCallsAndViewersDoNotWaitForEachOther(t *testing.T) {
	r := newRig(t)
	h := r.receiver(gitHubSource(ours))
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for range 60 {
				serveCall(h, webhooktest.NewRequest(gitHubSource([]string{ours, theirs}[i%2]), "/hooks/github", webhooktest.GitHubPush()))
			}
		})
		all.Go(func() {
			for n := range 8 {
				for _, page := range []string{"calls", "api/calls?refused=1", fmt.Sprint("call?n=", n+1), ""} {
					if w := r.get(page); w.Code != 200 && w.Code != 404 {
						t.Errorf("%s: %d %s", page, w.Code, w.Body)
					}
				}
			}
		})
	}
	all.Wait()
	if list := decode[calls](t, r.get("api/calls?limit=200")); len(list.Calls) != 200 || list.Calls[0].N != 240 {
		t.Errorf("%d calls", len(list.Calls))
	}
}

// A viewer whose page is being made, or that does not read it, holds nothing that a call needs.
func TestAViewerCannotStallAReceiver(t *testing.T) {
	r := newRig(t)
	asked, goOn := make(chan bool), make(chan bool)
	src := gitHubSource()
	looks := 0
	src.Verifier = &webhook.HMAC{Header: "X-Hub-Signature-256", Prefix: "sha256=", KeysFor: func(*http.Request) ([]webhook.Key, error) {
		if looks++; looks == 2 { // the diagnosis
			asked <- true
			<-goOn
		}
		return webhook.Keys(webhook.NewSecret(ours)), nil
	}}
	h := r.receiver(src)
	sendGitHub(t, h, theirs, webhooktest.GitHubPush())
	var viewer sync.WaitGroup
	viewer.Go(func() { r.get("call?n=1") })
	<-asked
	if result := sendGitHub(t, h, ours, webhooktest.GitHubPush()); !result.Delivered {
		t.Errorf("%+v", result)
	}
	if list := decode[calls](t, r.get("api/calls")); len(list.Calls) != 2 {
		t.Errorf("%+v", list)
	}
	close(goOn)
	viewer.Wait()
}
