package inspect_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A call is what the tests read of api/call.
type call struct {
	N             int64
	Source        string
	Method        string
	Pattern       string
	Status        int
	Class         string
	Reason        string
	UID           string
	Type          string
	Duplicate     bool
	Answer        string
	AnswerCut     bool  `json:"answer_cut"`
	ContentLength int64 `json:"content_length"`
	Read          int64
	BodyEnd       string `json:"body_end"`
	Header        http.Header
	HeadersLeft   int `json:"headers_left"`
	Body          string
	BodyCut       bool `json:"body_cut"`
	Why           []struct{ Cause, Help string }
	WhyNote       string `json:"why_note"`
}

type calls struct {
	Calls []call
	Next  int64
	Lost  int64
}

// receiver returns a watched receiver of src that stores, with middlewares between.
func (r *rig) receiver(src webhook.Source, between ...func(http.Handler) http.Handler) http.Handler {
	receiver := webhook.NewReceiver(src, webhook.Store(r.inbox))
	receiver.Logger = slog.New(slog.DiscardHandler)
	var h http.Handler = receiver
	for _, m := range between {
		h = m(h)
	}
	return r.Inspector.Watch(src, h)
}

// last returns the newest call, with why it was refused.
func (r *rig) last() call {
	r.t.Helper()
	list := decode[calls](r.t, r.get("api/calls?limit=1"))
	if len(list.Calls) != 1 {
		r.t.Fatal("no call is kept")
	}
	return decode[call](r.t, r.get(fmt.Sprint("api/call?n=", list.Calls[0].N)))
}

// requireCause requires the first cause of the newest call, the status, and a part of the help
// line, on the page too. No secret and no MAC of the bodies may be on a page.
func (r *rig) requireCause(status int, cause, help string, secrets []string, bodies ...[]byte) {
	r.t.Helper()
	c := r.last()
	if c.Status != status || len(c.Why) == 0 || c.Why[0].Cause != cause || !strings.Contains(c.Why[0].Help, help) {
		r.t.Errorf("%d %s, because %+v %s; want %d, %s with %q", c.Status, c.Reason, c.Why, c.WhyNote, status, cause, help)
	}
	page := r.get(fmt.Sprint("call?n=", c.N)).Body.String()
	if !strings.Contains(page, "<h2 id=\"why\">Why</h2>") || !strings.Contains(page, cause) {
		r.t.Errorf("the page does not say %s: %s", cause, page)
	}
	hidden := secrets
	for _, s := range secrets {
		for _, b := range bodies {
			hidden = append(hidden, macs(s, b)...)
		}
	}
	for _, p := range []string{fmt.Sprint("call?n=", c.N), fmt.Sprint("api/call?n=", c.N), "calls", "api/calls", "calls?refused=1", ""} {
		text := r.get(p).Body.String()
		for _, h := range hidden {
			if strings.Contains(strings.ToLower(text), strings.ToLower(h)) {
				r.t.Errorf("%s: %s has %q: %s", cause, p, h, text)
			}
		}
	}
}

// macs returns the MACs of a body under a secret and its usual variants, in each encoding.
func macs(secret string, body []byte) (texts []string) {
	for _, s := range []string{secret, strings.TrimSpace(secret), secret + "\n"} {
		for _, h := range []io.Writer{hmac.New(sha256.New, []byte(s)), hmac.New(sha1.New, []byte(s))} {
			_, _ = h.Write(body)
			sum := h.(interface{ Sum([]byte) []byte }).Sum(nil)
			texts = append(texts, hex.EncodeToString(sum), base64.StdEncoding.EncodeToString(sum))
		}
	}
	return texts
}

// sendGitHub sends a push as GitHub does.
func sendGitHub(t *testing.T, h http.Handler, secret string, body []byte) webhooktest.Result {
	t.Helper()
	sender := &webhooktest.GitHub{Secret: webhook.NewSecret(secret), Transport: webhooktest.InMemory(h)}
	result := sender.Deliver(t.Context(), "http://hooks.test/hooks/github", "push", body)
	if result.Err != nil || result.Attempts[0].Err != nil {
		t.Fatal(result)
	}
	return result
}

// gitHubSource is the Source of package github, which this package may not import.
func gitHubSource(secrets ...string) webhook.Source {
	var keys []webhook.Key
	for i, s := range secrets {
		keys = append(keys, webhook.Key{Label: fmt.Sprint("key-", i+1), Secret: webhook.NewSecret(s)})
	}
	return webhook.Source{
		Name: "github", MaxBody: 25 << 20, ContentTypes: []string{"application/json", "application/x-www-form-urlencoded"},
		Verifier: &webhook.HMAC{Header: "X-Hub-Signature-256", Prefix: "sha256=", Keys: keys},
		Describe: func(r *http.Request, _ []byte) webhook.Description {
			return webhook.Description{ID: r.Header.Get("X-GitHub-Delivery"), Type: "github." + r.Header.Get("X-GitHub-Event"), OrderingKey: "acme/app main"}
		},
	}
}

// proxy returns a handler that passes requests on with another body.
func proxy(next http.Handler, change func([]byte) []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		body = change(body)
		on := r.Clone(r.Context())
		on.Body, on.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		next.ServeHTTP(w, on)
	})
}

// serveCall serves a request with a recorder.
func serveCall(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// formOf returns the form that GitHub sends.
func formOf(doc []byte) []byte { return []byte("payload=" + url.QueryEscape(string(doc))) }
