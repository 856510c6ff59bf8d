package inspect_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A bareWriter has no optional methods.
type bareWriter struct{ http.ResponseWriter }

func TestAWatchedAnswerHasTheMethodsOfTheOriginal(t *testing.T) {
	r := newRig(t)
	h := r.Watch(gitHubSource(ours), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, flushes := w.(http.Flusher)
		_, hijacks := w.(http.Hijacker)
		_, _ = fmt.Fprint(w, flushes, hijacks)
	}))
	w := httptest.NewRecorder()
	h.ServeHTTP(bareWriter{w}, httptest.NewRequest("POST", "/", nil))
	if w.Body.String() != "false false" {
		t.Errorf("a bare writer: %s", w.Body)
	}
	if w := serveCall(h, httptest.NewRequest("POST", "/", nil)); w.Body.String() != "true false" {
		t.Errorf("a recorder: %s", w.Body)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	response, err := server.Client().Post(server.URL, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	if _ = response.Body.Close(); err != nil || string(text) != "true true" {
		t.Errorf("HTTP/1: %s, %v", text, err)
	}
}

// A fullWriter can do what the writers of HTTP/2 can.
type fullWriter struct {
	*httptest.ResponseRecorder
	deadlines int
	pushed    string
}

func (w *fullWriter) SetReadDeadline(time.Time) error { w.deadlines++; return nil }

func (w *fullWriter) Push(target string, _ *http.PushOptions) error { w.pushed = target; return nil }

func TestTheOriginalWriterIsReached(t *testing.T) {
	r := newRig(t)
	w := &fullWriter{ResponseRecorder: httptest.NewRecorder()}
	r.receiver(gitHubSource(ours)).ServeHTTP(w, webhooktest.NewRequest(gitHubSource(ours), "/hooks/github", []byte("{}")))
	if w.Code != 202 || w.deadlines != 2 {
		t.Errorf("%d, and the receiver has set %d deadlines", w.Code, w.deadlines)
	}
	h := r.Watch(gitHubSource(ours), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := w.(http.Pusher).Push("/style.css", nil); err != nil { //nolint:forcetypeassert // it is one
			t.Error(err)
		}
		w.(http.Flusher).Flush() //nolint:forcetypeassert // it is one
	}))
	h.ServeHTTP(w, httptest.NewRequest("POST", "/", nil))
	if w.pushed != "/style.css" || !w.Flushed {
		t.Errorf("pushed %q, flushed %t", w.pushed, w.Flushed)
	}
}

// While the body of one call does not arrive, other calls are answered and pages are made.
func TestABodyThatDoesNotArriveDelaysNobody(t *testing.T) {
	r := newRig(t)
	h := r.receiver(gitHubSource(ours))
	body, sender := io.Pipe()
	slow := webhooktest.NewRequest(gitHubSource(ours), "/hooks/github", []byte("{}"))
	slow.Body = body
	var all sync.WaitGroup
	all.Go(func() { serveCall(h, slow) })
	if _, err := io.WriteString(sender, "{"); err != nil { // it is being read
		t.Fatal(err)
	}
	sendGitHub(t, h, theirs, webhooktest.GitHubPush())
	sendGitHub(t, h, ours, webhooktest.GitHubPush())
	if c := decode[call](t, r.get("api/call?n=1")); c.Why[0].Cause != "secret_wrong" {
		t.Errorf("%+v", c)
	}
	if list := decode[calls](t, r.get("api/calls")); len(list.Calls) != 2 {
		t.Errorf("%+v", list)
	}
	if err := sender.CloseWithError(fmt.Errorf("it broke")); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if c := r.last(); c.N != 3 || c.BodyEnd != "broken" || !strings.Contains(c.Why[0].Help, "1 of 2 bytes") {
		t.Errorf("%+v", c)
	}
}
