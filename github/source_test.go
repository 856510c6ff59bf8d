package github_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/internal/panictest"
	"github.com/hookhouse/hookhouse/webhook"
)

// The signature of publishedBody in github/docs: validating-webhook-deliveries.
const (
	publishedBody      = "Hello, World!"
	publishedSignature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
)

// The signature of the encoded text, which GitHub signs.
const (
	formBody      = "payload=%7B%22zen%22%3A%22x%22%7D"
	formSignature = "sha256=9e518bab52dd49be0a3cab84bf12fed8157f4905144554e29e99e7d137ca8e5c"
)

const publishedSHA1 = "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59"

func TestSignatures(t *testing.T) {
	for _, c := range []struct {
		name, header, signature, body string
		refused                       bool
	}{
		{"GitHub's published vector", github.SignatureHeader, publishedSignature, publishedBody, false},
		{"a form is signed as encoded", github.SignatureHeader, formSignature, formBody, false},
		{"hex digits in upper case", github.SignatureHeader, "sha256=" + strings.ToUpper(publishedSignature[7:]), publishedBody, false},
		{"one byte of the body changed", github.SignatureHeader, publishedSignature, "Hello, World?", true},
		{"JobServ's separator", github.SignatureHeader, strings.Replace(publishedSignature, "=", ":", 1), publishedBody, true},
		{"no prefix", github.SignatureHeader, publishedSignature[7:], publishedBody, true},
		{"one digit short", github.SignatureHeader, publishedSignature[:len(publishedSignature)-1], publishedBody, true},
		{"not hex", github.SignatureHeader, publishedSignature[:len(publishedSignature)-1] + "g", publishedBody, true},
		{"SHA-1 alone", github.SHA1SignatureHeader, publishedSHA1, publishedBody, true},
		{"SHA-1 in the other header", github.SignatureHeader, publishedSHA1, publishedBody, true},
		{"no signature", "X-Other", publishedSignature, publishedBody, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			src := github.Source(secret)
			if err := src.Validate(); err != nil {
				t.Fatal(err)
			}
			r := newRequest("push", nil)
			r.Header.Set(c.header, c.signature)
			_, err := src.Open(r, []byte(c.body))
			if c.refused {
				if !errors.Is(err, webhook.ErrUnverified) {
					t.Fatalf("error = %v, want %v", err, webhook.ErrUnverified)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestInsecureSHA1Verifier(t *testing.T) {
	src := github.Source(secret)
	src.Verifier = webhook.NewAnyOf(src.Verifier, github.InsecureSHA1Verifier(webhook.Keys(secret)...))
	if err := src.Validate(); err != nil {
		t.Fatal(err)
	}
	r := newRequest("push", nil)
	r.Header.Set(github.SHA1SignatureHeader, publishedSHA1)
	_, err := src.Open(r, []byte(publishedBody))
	if err != nil {
		t.Fatal(err)
	}
	_, err = src.Open(r, []byte(publishedBody+" "))
	if !errors.Is(err, webhook.ErrUnverified) {
		t.Fatalf("error = %v, want %v", err, webhook.ErrUnverified)
	}
}

func TestSecondSecretVerifies(t *testing.T) {
	src := github.Source(webhook.NewSecret("new"), secret)
	if err := src.Validate(); err != nil {
		t.Fatal(err)
	}
	r := newRequest("push", nil)
	r.Header.Set(github.SignatureHeader, publishedSignature)
	d, err := src.Open(r, []byte(publishedBody))
	if err != nil {
		t.Fatal(err)
	}
	if d.KeyLabel != "2" {
		t.Fatalf("d.KeyLabel = %q, want \"2\"", d.KeyLabel)
	}
}

func TestSourceWithoutSecretIsInvalid(t *testing.T) {
	if err := github.Source().Validate(); err == nil {
		t.Fatal("github.Source().Validate() is nil, want an error")
	}
	if err := github.Source(webhook.NewSecret("")).Validate(); err == nil {
		t.Fatal(`github.Source(webhook.NewSecret("")).Validate() is nil, want an error`)
	}
	panictest.Require(t, "webhook: source github", func() { github.Source().Middleware(http.NotFoundHandler()) })
}

// receive sends a request to a Receiver with the handler h and returns the
// answer.
func receive(t *testing.T, r *http.Request, h webhook.Handler) *httptest.ResponseRecorder {
	t.Helper()
	rc := webhook.NewReceiver(github.Source(secret), h)
	rc.Logger = slog.New(slog.DiscardHandler)
	w := httptest.NewRecorder()
	rc.ServeHTTP(w, r)
	return w
}

func TestFormReachesTheCallback(t *testing.T) {
	doc := own(t, "push.branch")
	body := formOf(doc)
	r := newRequest("push", body)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	sign(t, r, body)

	var mux webhook.Mux
	var got *webhook.Event[github.Push]
	webhook.On(&mux, func(_ context.Context, e *webhook.Event[github.Push]) error {
		got = e
		return nil
	})
	w := receive(t, r, &mux)
	if w.Code != http.StatusAccepted {
		t.Fatalf("w.Code = %d, want %d", w.Code, http.StatusAccepted)
	}
	if got == nil {
		t.Fatalf("got = %v, want not nil", got)
	}
	if got.OrderingKey != "tidewater/harbour refs/heads/main" {
		t.Fatalf("got.OrderingKey = %q, want \"tidewater/harbour refs/heads/main\"", got.OrderingKey)
	}
	if diff := cmp.Diff(body, got.Body); diff != "" {
		t.Fatalf("got.Body (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(generic(t, doc), generic(t, encode(t, got.Payload))); diff != "" {
		t.Fatalf("generic(encode(got.Payload)) (-want +got):\n%s", diff)
	}
}

func TestMediaTypesAndMethods(t *testing.T) {
	body := own(t, "push.branch")
	for _, c := range []struct {
		name, method, contentType string
		status                    int
	}{
		{"JSON", http.MethodPost, "application/json", http.StatusAccepted},
		{"plain text", http.MethodPost, "text/plain", http.StatusUnsupportedMediaType},
		{"GET", http.MethodGet, "application/json", http.StatusMethodNotAllowed},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRequest("push", body)
			r.Method = c.method
			r.Header.Set("Content-Type", c.contentType)
			sign(t, r, body)
			w := receive(t, r, &webhook.Mux{})
			if w.Code != c.status {
				t.Fatalf("w.Code = %d, want %d", w.Code, c.status)
			}
		})
	}
}

func TestLargestBodyIs25MiB(t *testing.T) {
	if got := github.Source(secret).MaxBody; got != 25<<20 {
		t.Fatalf("github.Source(secret).MaxBody = %d, want %d", got, 25<<20)
	}
	body := bytes.Repeat([]byte(" "), 25<<20+1)
	r := newRequest("push", body)
	sign(t, r, body)
	if got := receive(t, r, &webhook.Mux{}).Code; got != http.StatusRequestEntityTooLarge {
		t.Fatalf("receive(r, &webhook.Mux{}).Code = %d, want %d", got, http.StatusRequestEntityTooLarge)
	}
}

func TestMalformedBodyGets400WithoutInbox(t *testing.T) {
	var mux webhook.Mux
	webhook.On(&mux, func(context.Context, *webhook.Event[github.Push]) error {
		t.Error("called")
		return nil
	})
	body := []byte(`{"ref":"refs/heads/a","REF":"refs/heads/b"}`)
	r := newRequest("push", body)
	sign(t, r, body)
	if got := receive(t, r, &mux).Code; got != http.StatusBadRequest {
		t.Fatalf("receive(r, &mux).Code = %d, want %d", got, http.StatusBadRequest)
	}
}

func TestMiddlewarePassesTheBody(t *testing.T) {
	body := own(t, "ping.repository")
	called := false
	h := github.Source(secret).Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		called = true
		again, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(body, again); diff != "" {
			t.Fatalf("again (-want +got):\n%s", diff)
		}
		d, ok := webhook.DeliveryFromContext(r.Context())
		if !ok {
			t.Fatal("ok = false, want true")
		}
		e, err := webhook.Decode[github.Ping](d)
		if err != nil {
			t.Fatal(err)
		}
		if e.Payload.HookID != 55 {
			t.Fatalf("e.Payload.HookID = %d, want 55", e.Payload.HookID)
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	r := newRequest("ping", body)
	sign(t, r, body)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if !called {
		t.Fatal("called is false, want true")
	}
	if w.Code != http.StatusNoContent {
		t.Fatalf("w.Code = %d, want %d", w.Code, http.StatusNoContent)
	}
}

// The signature does not cover the id: a captured call under a new id is the
// same delivery, and so is GitHub's redelivery.
func TestRedeliveryAndCapturedCallAreDuplicates(t *testing.T) {
	body := own(t, "push.branch")
	for _, c := range []struct {
		name, id, event string
	}{
		{"redelivered by GitHub", "72d3162e-cc78-11e3-81ab-4c9367dc0958", "push"},
		{"captured and sent under another id", "00000000-0000-0000-0000-000000000001", "push"},
		{"as another event", "00000000-0000-0000-0000-000000000001", "create"},
		{"as an event that may be repeated", "00000000-0000-0000-0000-000000000001", "workflow_dispatch"},
		{"as another event that may be repeated", "00000000-0000-0000-0000-000000000001", "repository_dispatch"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var inbox webhook.MemInbox
			if err := inbox.Put(t.Context(), open(t, newRequest("push", body), body)); err != nil {
				t.Fatal(err)
			}
			r := newRequest(c.event, body)
			r.Header.Set(github.DeliveryHeader, c.id)
			sign(t, r, body)
			w := receive(t, r, webhook.Store(&inbox))
			if w.Code != http.StatusAccepted {
				t.Fatalf("w.Code = %d, want %d", w.Code, http.StatusAccepted)
			}
			var answer struct{ Duplicate bool }
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
				t.Fatal(err)
			}
			if !answer.Duplicate {
				t.Fatal("answer.Duplicate is false, want true")
			}
		})
	}
}
