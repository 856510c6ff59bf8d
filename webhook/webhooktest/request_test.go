package webhooktest_test

import (
	"crypto/sha512"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

var (
	secret = webhook.NewSecret("a secret for tests")
	body   = []byte(`{"n": 1}`)
)

// signed returns a source with the verifier.
func signed(v webhook.Verifier) webhook.Source {
	return webhook.Source{Name: "test", Verifier: v}
}

func TestNewRequestIsAcceptedByEveryKindOfVerifier(t *testing.T) {
	keys := webhook.Keys(secret)
	for _, tc := range []struct {
		name     string
		verifier webhook.Verifier
		pattern  string
		target   string
	}{
		{"HMAC", &webhook.HMAC{Header: "X-Sig", Prefix: "sha256:", Keys: keys}, "/hook", "/hook"},
		{"HMAC of another hash", &webhook.HMAC{Header: "X-Sig", Hash: sha512.New, Encoding: webhook.Base64, Keys: keys}, "/hook", "/hook"},
		{"a token in the path", &webhook.Token{PathValue: "token", Keys: keys}, "/hooks/{token}/in", "/hooks/{token}/in"},
		{"a token in the query", &webhook.Token{Query: "secret", Keys: keys}, "/hook", "/hook?a=b"},
		{"a token in a header", &webhook.Token{Header: "X-Token", Prefix: "Bearer ", Keys: keys}, "/hook", "/hook"},
		{"Basic credentials", &webhook.BasicAuth{User: "ci", Keys: keys}, "/hook", "https://ci.test/hook"},
		{"Standard Webhooks", webhook.NewAnyOf(&webhook.StandardWebhooks{Keys: webhook.Keys(webhook.NewSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))}), "/hook", "/hook"},
		{"either of two", webhook.NewAnyOf(&webhook.HMAC{Header: "X-A", Keys: keys}, &webhook.HMAC{Header: "X-B", Keys: keys}), "/hook", "/hook"},
		{"both of two", webhook.NewAllOf(&webhook.HMAC{Header: "X-A", Keys: keys}, &webhook.Token{Query: "t", Keys: keys}), "/hook", "/hook"},
		{"anything", &webhook.InsecureAcceptAll{}, "/hook", "/hook"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var rec webhooktest.Recorder
			src := signed(tc.verifier)
			receiver := webhook.NewReceiver(src, &rec)
			mux := http.NewServeMux()
			mux.Handle(tc.pattern, receiver)
			for route, h := range map[string]http.Handler{"through a mux": mux, "directly": receiver} {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, webhooktest.NewRequest(src, tc.target, body))
				if w.Code != http.StatusAccepted {
					t.Errorf("%s: got %d, want 202", route, w.Code)
				}
			}
			if rec.Count() != 2 {
				t.Errorf("got %d deliveries, want 2", rec.Count())
			}
		})
	}
}

func TestNewRequestReturnsAServerRequest(t *testing.T) {
	src := signed(&webhook.Token{PathValue: "token", Keys: webhook.Keys(webhook.NewSecret("a/b c"))})
	r := webhooktest.NewRequest(src, "https://ci.test:8443/hooks/{token}?x=1#part", body,
		"Content-Type", "text/plain", "X-Event", "push")
	for what, pair := range map[string][2]string{
		"method":       {r.Method, "POST"},
		"host":         {r.Host, "ci.test:8443"},
		"request URI":  {r.RequestURI, "/hooks/a%2Fb%20c?x=1"},
		"URL":          {r.URL.String(), "/hooks/a%2Fb%20c?x=1"},
		"path":         {r.URL.Path, "/hooks/a/b c"},
		"path value":   {r.PathValue("token"), "a/b c"},
		"content type": {r.Header.Get("Content-Type"), "text/plain"},
		"event":        {r.Header.Get("X-Event"), "push"},
		"protocol":     {r.Proto, "HTTP/1.1"},
		"address":      {r.RemoteAddr, "192.0.2.1:1234"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %q, want %q", what, pair[0], pair[1])
		}
	}
	if r.TLS == nil || r.ContentLength != int64(len(body)) {
		t.Errorf("got TLS %v and length %d", r.TLS, r.ContentLength)
	}
	if got, err := io.ReadAll(r.Body); err != nil || string(got) != string(body) {
		t.Errorf("body: got %q, %v", got, err)
	}

	r = webhooktest.NewRequest(signed(&webhook.InsecureAcceptAll{}), "", nil)
	if r.Host != "example.com" || r.URL.Path != "/" || r.Body != http.NoBody || r.TLS != nil {
		t.Errorf("empty target: got host %q, path %q", r.Host, r.URL.Path)
	}
	if got := r.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("content type: got %q, want application/json", got)
	}
}

// A verifyOnly is a Verifier that is not a Signer.
type verifyOnly struct{}

func (verifyOnly) Admit(*http.Request) error { return nil }

func (verifyOnly) Verify(*http.Request, []byte) (webhook.Proof, error) { return webhook.Proof{}, nil }

func TestNewRequestAndInMemoryPanicOnMisuse(t *testing.T) {
	good := signed(&webhook.InsecureAcceptAll{})
	odd := strings.Fields("X-Event push X-Other")
	for name, f := range map[string]func(){
		"a header without a value": func() { webhooktest.NewRequest(good, "/", nil, odd...) },
		"a target that is no URL":  func() { webhooktest.NewRequest(good, "http://%", nil) },
		"no verifier":              func() { webhooktest.NewRequest(webhook.Source{}, "/", nil) },
		"a verifier, not a Signer": func() { webhooktest.NewRequest(signed(verifyOnly{}), "/", nil) },
		"a verifier without a key": func() { webhooktest.NewRequest(signed(&webhook.HMAC{Header: "X"}), "/", nil) },
		"InMemory without handler": func() { webhooktest.InMemory(nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func TestRecorderErrDeterminesTheStatus(t *testing.T) {
	src := signed(&webhook.InsecureAcceptAll{})
	for err, want := range map[error]int{nil: 202, webhook.ErrNotStored: 503, errors.New("x"): 500} {
		rec := webhooktest.Recorder{Err: err}
		w := httptest.NewRecorder()
		webhook.NewReceiver(src, &rec).ServeHTTP(w, webhooktest.NewRequest(src, "/", body))
		if w.Code != want || rec.Count() != 1 {
			t.Errorf("%v: got %d and %d recorded, want %d and 1", err, w.Code, rec.Count(), want)
		}
	}
}
