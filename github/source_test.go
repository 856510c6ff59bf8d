package github_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hookhouse/hookhouse/github"
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
			require.NoError(t, src.Validate())
			r := newRequest("push", nil)
			r.Header.Set(c.header, c.signature)
			_, err := src.Open(r, []byte(c.body))
			if c.refused {
				require.ErrorIs(t, err, webhook.ErrUnverified)
				return
			}
			require.NoError(t, err)
		})
	}
}

func TestInsecureSHA1Verifier(t *testing.T) {
	src := github.Source(secret)
	src.Verifier = webhook.NewAnyOf(src.Verifier, github.InsecureSHA1Verifier(webhook.Keys(secret)...))
	require.NoError(t, src.Validate())
	r := newRequest("push", nil)
	r.Header.Set(github.SHA1SignatureHeader, publishedSHA1)
	_, err := src.Open(r, []byte(publishedBody))
	require.NoError(t, err)
	_, err = src.Open(r, []byte(publishedBody+" "))
	require.ErrorIs(t, err, webhook.ErrUnverified)
}

func TestSecondSecretVerifies(t *testing.T) {
	src := github.Source(webhook.NewSecret("new"), secret)
	require.NoError(t, src.Validate())
	r := newRequest("push", nil)
	r.Header.Set(github.SignatureHeader, publishedSignature)
	d, err := src.Open(r, []byte(publishedBody))
	require.NoError(t, err)
	require.Equal(t, "2", d.KeyLabel)
}

func TestSourceWithoutSecretIsInvalid(t *testing.T) {
	require.Error(t, github.Source().Validate())
	require.Error(t, github.Source(webhook.NewSecret("")).Validate())
	require.Panics(t, func() { github.Source().Middleware(http.NotFoundHandler()) })
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
	require.Equal(t, http.StatusAccepted, w.Code)
	require.NotNil(t, got)
	require.Equal(t, "tidewater/harbour refs/heads/main", got.OrderingKey)
	require.Equal(t, body, got.Body)
	require.Equal(t, generic(t, doc), generic(t, encode(t, got.Payload)))
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
			require.Equal(t, c.status, w.Code)
		})
	}
}

func TestLargestBodyIs25MiB(t *testing.T) {
	require.EqualValues(t, 25<<20, github.Source(secret).MaxBody)
	body := bytes.Repeat([]byte(" "), 25<<20+1)
	r := newRequest("push", body)
	sign(t, r, body)
	require.Equal(t, http.StatusRequestEntityTooLarge, receive(t, r, &webhook.Mux{}).Code)
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
	require.Equal(t, http.StatusBadRequest, receive(t, r, &mux).Code)
}

func TestMiddlewarePassesTheBody(t *testing.T) {
	body := own(t, "ping.repository")
	called := false
	h := github.Source(secret).Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		called = true
		again, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.Equal(t, body, again)
		d, ok := webhook.DeliveryFromContext(r.Context())
		require.True(t, ok)
		e, err := webhook.Decode[github.Ping](d)
		require.NoError(t, err)
		require.EqualValues(t, 55, e.Payload.HookID)
		w.WriteHeader(http.StatusNoContent)
	}))
	r := newRequest("ping", body)
	sign(t, r, body)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.True(t, called)
	require.Equal(t, http.StatusNoContent, w.Code)
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
			require.NoError(t, inbox.Put(t.Context(), open(t, newRequest("push", body), body)))
			r := newRequest(c.event, body)
			r.Header.Set(github.DeliveryHeader, c.id)
			sign(t, r, body)
			w := receive(t, r, webhook.Store(&inbox))
			require.Equal(t, http.StatusAccepted, w.Code)
			var answer struct{ Duplicate bool }
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
			require.True(t, answer.Duplicate)
		})
	}
}
