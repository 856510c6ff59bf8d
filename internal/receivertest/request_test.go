package receivertest

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/publish"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

const (
	secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	newer  = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD9kLcuZkVSUQ="
	other  = "whsec_c3RvbGVuIHNlY3JldHMgZG8gbm90IHZlcmlmeQ=="

	// payload is JSON that no library writes as it is here.
	payload = `{ "type":"comment.created",  "text":"5 < 6 \u0026 \"caf\u00e9\" Ж" }`
)

// A request is what an endpoint receives.
type request struct {
	header http.Header
	body   []byte
}

// httpRequest returns the request as a server gets it.
func (r request) httpRequest() *http.Request {
	h := httptest.NewRequest(http.MethodPost, "/hook", strings.NewReader(string(r.body)))
	h.Header = r.header.Clone()
	return h
}

// sent returns the request that a Publisher sends to an endpoint with these secrets.
func sent(t *testing.T, scheme string, secrets ...string) request {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	received := make(chan request, 1)
	pub := publish.New(&webhook.MemInbox{}, &publish.MemStore{})
	pub.Logger = slog.New(slog.DiscardHandler)
	pub.Transport = webhooktest.InMemory(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		received <- request{r.Header.Clone(), body}
	}))
	endpoint := publish.Endpoint{URL: "https://shop.example/hooks", Events: []string{"*"}, Scheme: scheme}
	for _, s := range secrets {
		endpoint.Secrets = append(endpoint.Secrets, publish.Secret{Secret: webhook.NewSecret(s)})
	}
	if _, err := pub.Create(ctx, endpoint); err != nil {
		t.Fatal(err)
	}
	if _, err := pub.Publish(ctx, publish.Event{Type: "comment.created", Payload: json.RawMessage(payload)}); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- pub.Run(ctx) }()
	r := <-received
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	return r
}

// signedAt returns a request that is signed with the library of Standard Webhooks.
func signedAt(t *testing.T, id string, at time.Time, body string) request {
	t.Helper()
	signer, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := signer.Sign(id, at, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	r := request{make(http.Header), []byte(body)}
	r.header.Set("Webhook-Id", id)
	r.header.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	r.header.Set("Webhook-Signature", signature)
	return r
}

// cases are requests with a secret that the receiver has, and whether it must accept them.
func cases(t *testing.T) []trial {
	t.Helper()
	plain := sent(t, "", secret)
	changed := request{plain.header, []byte(strings.Replace(string(plain.body), "comment.created", "comment.deleted", 1))}
	written := request{plain.header, []byte(strings.ReplaceAll(string(plain.body), " ", ""))}
	renamed := request{plain.header.Clone(), plain.body}
	renamed.header.Set("Webhook-Id", "msg_another")
	unsigned := request{plain.header.Clone(), plain.body}
	unsigned.header.Del("Webhook-Signature")
	rotated := sent(t, "", secret, newer)
	return []trial{
		{"genuine", secret, plain, true},
		{"rotated, with the old secret", secret, rotated, true},
		{"rotated, with the new secret", newer, rotated, true},
		{"another secret", other, plain, false},
		{"another body", secret, changed, false},
		{"the same JSON, written anew", secret, written, false},
		{"another id", secret, renamed, false},
		{"no signature", secret, unsigned, false},
		{"ten minutes old", secret, signedAt(t, "msg_1", time.Now().Add(-10*time.Minute), payload), false},
	}
}

type trial struct {
	name, secret string
	request
	genuine bool
}
