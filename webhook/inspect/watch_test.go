package inspect_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestThePageOfADeliveryHasTheAnswerAndLaterDuplicates(t *testing.T) {
	r := newRig(t)
	h := r.receiver(gitHubSource(ours))
	sender := &webhooktest.GitHub{Secret: webhook.NewSecret(ours), Transport: webhooktest.InMemory(h)}
	first := sender.Deliver(t.Context(), "http://hooks.test/hooks/github", "push", webhooktest.GitHubPush())
	for range 2 {
		sender.Redeliver(t.Context(), first.GUID, "http://hooks.test/hooks/github", "push", webhooktest.GitHubPush())
	}
	list := decode[calls](t, r.get("api/calls"))
	if len(list.Calls) != 3 || list.Calls[0].N != 3 || list.Calls[2].Duplicate || !list.Calls[0].Duplicate || !list.Calls[1].Duplicate {
		t.Fatalf("%+v", list)
	}
	uid := list.Calls[2].UID
	for _, c := range list.Calls {
		if c.Status != 202 || c.Class != "" || c.UID != uid || c.Type != "github.push" || c.Source != "github" || !strings.Contains(c.Answer, `"uid":"`+uid+`"`) {
			t.Errorf("%+v", c)
		}
	}
	if !strings.Contains(list.Calls[0].Answer, `"duplicate":true`) {
		t.Errorf("%+v", list.Calls[0])
	}
	d := decode[struct{ Calls []call }](t, r.get("api/delivery?uid="+uid))
	if len(d.Calls) != 3 || d.Calls[0].N != 1 || d.Calls[2].N != 3 {
		t.Errorf("the delivery has the calls %+v", d.Calls)
	}
	page := r.get("delivery?uid=" + uid).Body.String()
	if !strings.Contains(page, "Answers to the sender") || strings.Count(page, "a duplicate</td>") != 2 || strings.Count(page, "the first</td>") != 1 {
		t.Errorf("the page: %s", page)
	}
	if page := r.get("calls").Body.String(); strings.Count(page, "duplicate of <a href=\"delivery?uid="+uid) != 2 {
		t.Errorf("the list: %s", page)
	}
	if page := r.get("call?n=2").Body.String(); !strings.Contains(page, "Duplicate of</dt>") || strings.Contains(page, "Why</h2>") {
		t.Errorf("the call: %s", page)
	}
}

func TestRefusedCallsAreAFilterOfTheList(t *testing.T) {
	r := newRig(t)
	h := r.receiver(gitHubSource(ours))
	for i := range 6 {
		sendGitHub(t, h, []string{ours, theirs}[i%2], webhooktest.GitHubPush())
	}
	if list := decode[calls](t, r.get("api/calls?refused=1&limit=2")); len(list.Calls) != 2 || list.Calls[0].N != 6 || list.Calls[1].N != 4 || list.Next != 4 {
		t.Errorf("%+v", list)
	}
	if list := decode[calls](t, r.get("api/calls?refused=1&limit=2&before=4")); len(list.Calls) != 1 || list.Calls[0].N != 2 || list.Next != 0 {
		t.Errorf("%+v", list)
	}
	if page := r.get("calls?refused=1").Body.String(); strings.Count(page, ">401</span>") != 3 || strings.Contains(page, ">202</span>") {
		t.Errorf("%s", page)
	}
	if page := r.get("").Body.String(); !strings.Contains(page, "Refused calls: 3") {
		t.Errorf("the list of deliveries has no link: %s", page)
	}
	for query, status := range map[string]int{"refused=yes": 400, "before=0": 400, "limit=201": 400, "x=1": 400} {
		if w := r.get("api/calls?" + query); w.Code != status {
			t.Errorf("%s: %d", query, w.Code)
		}
	}
	for query, status := range map[string]int{"": 400, "?n=x": 400, "?n=0": 400, "?n=7": 404, "?n=9223372036854775807": 400, "?n=1&n=2": 400} {
		if w := r.get("api/call" + query); w.Code != status {
			t.Errorf("%s: %d", query, w.Code)
		}
	}
}

func TestAWatchedReceiverSeesTheCallAsItIs(t *testing.T) {
	r := newRig(t)
	failure := errors.New("the connection broke")
	h := r.Watch(gitHubSource(ours), http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Pattern != "/hooks/{tenant}" || req.PathValue("tenant") != "acme" || req.ContentLength != 9 || req.Header.Get("X-A") != "b" {
			t.Errorf("%q %q %d %v", req.Pattern, req.PathValue("tenant"), req.ContentLength, req.Header)
		}
		if _, err := io.ReadAll(req.Body); !errors.Is(err, failure) {
			t.Errorf("the body: %v", err)
		}
		if _, ok := w.(http.Flusher); !ok {
			t.Error("it cannot be flushed")
		}
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "short and stout")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
	}))
	mux := http.NewServeMux()
	mux.Handle("/hooks/{tenant}", h)
	request := httptest.NewRequest("POST", "/hooks/acme", io.MultiReader(strings.NewReader("part"), failing{failure}))
	request.ContentLength = 9
	request.Header.Set("X-A", "b")
	w := serveCall(mux, request)
	if c := r.last(); !w.Flushed || c.Status != 418 || c.Answer != "short and stout" || c.Read != 4 || c.BodyEnd != "broken" || c.Why[0].Cause != "body_broken" {
		t.Errorf("flushed %t, %+v", w.Flushed, c)
	}
}

// A failing reader fails.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestAPanicOfAWatchedReceiverIsTheSame(t *testing.T) {
	r := newRig(t)
	h := r.Watch(gitHubSource(ours), http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	func() {
		defer func() {
			if p := recover(); p != http.ErrAbortHandler { //nolint:errorlint // the value itself
				t.Errorf("the panic is %v", p)
			}
		}()
		serveCall(h, httptest.NewRequest("POST", "/", nil))
	}()
	if c := r.last(); c.Status != 0 || c.Class != "panic" || c.Why[0].Cause != "panic" {
		t.Errorf("%+v", c)
	}
	serveCall(r.Watch(gitHubSource(ours), http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})), httptest.NewRequest("POST", "/", nil))
	if c := r.last(); c.Status != 200 || c.Why != nil {
		t.Errorf("a handler that writes nothing: %+v", c)
	}
	fails := webhook.NewReceiver(gitHubSource(ours), webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return (*webhook.DuplicateError)(nil) }))
	sendGitHub(t, r.Watch(gitHubSource(ours), fails), ours, webhooktest.GitHubPush())
	if c := r.last(); c.Status != 500 || c.Class != "panic" || c.Why[0].Cause != "handler" {
		t.Errorf("an error whose methods panic: %+v", c)
	}
}

// A sender that waits for 100 Continue gets it only if the receiver wants the body.
func TestABodyThatTheReceiverDoesNotReadIsNotRead(t *testing.T) {
	r := newRig(t)
	server := httptest.NewServer(r.receiver(gitHubSource(ours)))
	defer server.Close()
	for sig, want := range map[string]string{"": "401 Unauthorized", "X-Hub-Signature-256: sha256=" + strings.Repeat("0", 64) + "\r\n": "100 Continue"} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5\r\nExpect: 100-continue\r\n%s\r\n", sig)
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.Contains(line, want) {
			t.Errorf("%q: %q, %v; want %q", sig, line, err, want)
		}
		_ = conn.Close()
	}
	// The first call has ended, since it was answered, or its server is about to keep it.
	server.Close()
	for _, c := range decode[calls](t, r.get("api/calls")).Calls {
		full := decode[call](t, r.get(fmt.Sprint("api/call?n=", c.N)))
		if c.Status == 401 && (full.BodyEnd != "unread" || full.Body != "" || full.Why[0].Cause != "header_missing") {
			t.Errorf("%+v", full)
		}
		if page := r.get(fmt.Sprint("call?n=", c.N)).Body.String(); c.Status == 401 && !strings.Contains(page, "refused before its body was read") {
			t.Errorf("%s", page)
		}
	}
}
