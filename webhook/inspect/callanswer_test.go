package inspect_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/handshake"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// The answer to Zoom's handshake is a MAC of a text that the caller chooses.
func TestTheMACInTheAnswerToAHandshakeIsNotShown(t *testing.T) {
	r := newRig(t)
	key := webhook.NewSecret(ours)
	src := webhook.Source{
		Name: "zoom", Handshake: handshake.Zoom(webhook.Key{Secret: key}),
		Verifier: &webhook.HMAC{Header: "X-Zm-Signature", Prefix: "v0=", Signed: "v0:{timestamp}:{body}", TimestampHeader: "X-Zm-Request-Timestamp", Keys: webhook.Keys(key)},
	}
	h := r.receiver(src)
	body := []byte(`{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event_ts":1654503849680,"event":"endpoint.url_validation"}`)
	w := serveCall(h, webhooktest.NewRequest(src, "/hooks/zoom", body))
	mac := macs(ours, []byte("qgg8vlvZRS6UYooatFL8Aw"))[0]
	if w.Code != 200 || !strings.Contains(w.Body.String(), mac) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for _, page := range []string{"call?n=1", "api/call?n=1", "calls", "api/calls"} {
		if text := r.get(page).Body.String(); strings.Contains(text, mac) {
			t.Errorf("%s has the MAC: %s", page, text)
		}
	}
	if page := r.get("call?n=1").Body.String(); !strings.Contains(page, "with a body that is not shown") {
		t.Errorf("%s", page)
	}
}

// What a handler has written that panics does not reach the sender, unless it was flushed.
func TestAnAnswerThatAPanicEndsIsNotASuccess(t *testing.T) {
	for flush, status := range map[bool]int{false: 0, true: 202} {
		r := newRig(t)
		h := r.Watch(gitHubSource(ours), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(202)
			if flush {
				w.(http.Flusher).Flush() //nolint:forcetypeassert // it is one
			}
			panic(http.ErrAbortHandler)
		}))
		func() {
			defer func() { _ = recover() }()
			serveCall(h, httptest.NewRequest("POST", "/", nil))
		}()
		if c := r.last(); c.Status != status || status == 0 && c.Class != "panic" {
			t.Errorf("flushed %t: %+v", flush, c)
		}
	}
}

// The server removes the files of a form that a handler in a watched receiver has parsed.
func TestTheFilesOfAFormAreRemoved(t *testing.T) {
	r := newRig(t)
	file := make(chan string, 1)
	server := httptest.NewServer(r.Watch(gitHubSource(ours), http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		if err := req.ParseMultipartForm(1); err != nil {
			t.Error(err)
		}
		part, _, err := req.FormFile("f")
		if err != nil {
			t.Error(err)
			file <- ""
			return
		}
		file <- part.(*os.File).Name() //nolint:forcetypeassert // more than the memory that is allowed
		_ = part.Close()
	})))
	body := "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n" + strings.Repeat("x", 64<<10+11<<20) + "\r\n--b--\r\n"
	response, err := server.Client().Post(server.URL, "multipart/form-data; boundary=b", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	server.Close() // it waits for the call
	name := <-file
	if _, err := os.Stat(name); !os.IsNotExist(err) {
		t.Errorf("%q remains: %v", name, err)
	}
}

func TestTheAnswerOfAHandlerBehindAMiddlewareIsNotShown(t *testing.T) {
	r := newRig(t)
	src := gitHubSource(ours)
	h := r.Watch(src, src.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, planted) })))
	sendGitHub(t, h, ours, webhooktest.GitHubPush())
	if text := r.get("api/call?n=1").Body.String(); strings.Contains(text, planted) || !strings.Contains(text, `"answer_hidden":true`) {
		t.Errorf("%s", text)
	}
}

// A redirect has the path in its answer, and what a verifier of the program says may have it.
func TestTheAnswerOfARedirectHasNoToken(t *testing.T) {
	r := newRig(t)
	inner := http.NewServeMux()
	inner.Handle("/hooks/{token}/", http.NotFoundHandler())
	h := r.Watch(webhook.Source{Name: "hub", Verifier: &sealed{}}, inner)
	if w := serveCall(h, httptest.NewRequest("GET", "/hooks/"+token+"?key=an0ther", nil)); !strings.Contains(w.Body.String(), token) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	serveCall(r.receiver(webhook.Source{Name: "hub", Verifier: &sealed{fmt.Errorf("%w: no tenant has %s", webhook.ErrUnverified, token)}}),
		httptest.NewRequest("POST", "/hooks?token="+token, strings.NewReader("{}")))
	for _, page := range []string{"call?n=1", "api/call?n=1", "call?n=2", "api/call?n=2", "calls", "api/calls"} {
		if text := r.get(page).Body.String(); strings.Contains(text, token) || strings.Contains(text, "an0ther") {
			t.Errorf("%s has the token: %s", page, text)
		}
	}
}
