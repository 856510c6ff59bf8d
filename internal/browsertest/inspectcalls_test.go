package browsertest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/hookhouse/hookhouse/github"
	"github.com/hookhouse/hookhouse/internal/browsertest/inspected"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

// A wrongCall is a call that a receiver refuses, as its sender makes it.
type wrongCall struct {
	name, cause, help string
	secrets           []string // which no page may have
	make              func(t *testing.T, s *inspected.Service)
}

// pushTo sends a push as GitHub does to a receiver with a secret of its own.
func pushTo(t *testing.T, s *inspected.Service, route, ours, theirs string, front func(http.Handler) http.Handler) {
	t.Helper()
	url := s.Mount("/hooks/"+route, github.Source(webhook.NewSecret(ours)), front)
	sender := webhooktest.GitHub{Secret: webhook.NewSecret(theirs)}
	result := sender.Deliver(t.Context(), url, "push", webhooktest.GitHubPush())
	if result.Err != nil || result.Delivered {
		t.Fatalf("%s: %+v", route, result)
	}
}

// inFront returns what is in front of a receiver: it changes a request.
func inFront(change func(*http.Request)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			change(r)
			next.ServeHTTP(w, r)
		})
	}
}

// reencode changes the body as a gateway does that decodes JSON and encodes it again.
func reencode(r *http.Request) {
	var body bytes.Buffer
	text, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Indent(&body, text, "", "  ")
	}
	if err != nil {
		panic(err)
	}
	r.Body, r.ContentLength = io.NopCloser(&body), int64(body.Len())
}

// late sends an event of Standard Webhooks, signed by its library, with the time of an hour ago.
func late(t *testing.T, s *inspected.Service, secret string) {
	t.Helper()
	source := webhook.Source{Name: "shop", Verifier: &webhook.StandardWebhooks{Keys: webhook.Keys(webhook.NewSecret(secret))}}
	url := s.Mount("/hooks/clock", source, nil)
	sender, err := standardwebhooks.NewWebhook(secret)
	must(t, err)
	body, at := []byte(`{"type":"order.paid"}`), time.Now().Add(-time.Hour)
	signature, err := sender.Sign("msg_1", at, body)
	must(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	must(t, err)
	r.Header = http.Header{
		"Content-Type": {"application/json"}, "Webhook-Id": {"msg_1"}, "Webhook-Signature": {signature},
		"Webhook-Timestamp": {strconv.FormatInt(at.Unix(), 10)},
	}
	answer, err := http.DefaultClient.Do(r)
	must(t, err)
	must(t, answer.Body.Close())
	if answer.StatusCode != http.StatusUnauthorized {
		t.Fatalf("the late call has %s", answer.Status)
	}
}

var wrongCalls = []wrongCall{
	{"a wrong secret", "secret_wrong", "the sender has another secret", []string{"ours-of-the-wrong-secret", "theirs-of-the-wrong-one"}, func(t *testing.T, s *inspected.Service) {
		pushTo(t, s, "secret", "ours-of-the-wrong-secret", "theirs-of-the-wrong-one", nil)
	}},
	{"a newline in the secret", "secret_padded", "such as the newline of the file", []string{"secret-from-a-file"}, func(t *testing.T, s *inspected.Service) {
		pushTo(t, s, "newline", "secret-from-a-file\n", "secret-from-a-file", nil)
	}},
	{"a body that is encoded again", "body_reencoded", "as compact JSON", []string{"secret-behind-a-gateway"}, func(t *testing.T, s *inspected.Service) {
		pushTo(t, s, "gateway", "secret-behind-a-gateway", "secret-behind-a-gateway", inFront(reencode))
	}},
	{"SHA-1 only", "sha1_only", "SHA-1", []string{"secret-of-an-old-server"}, func(t *testing.T, s *inspected.Service) {
		pushTo(t, s, "old", "secret-of-an-old-server", "secret-of-an-old-server", inFront(func(r *http.Request) { r.Header.Del("X-Hub-Signature-256") }))
	}},
	{"a body that was read before", "body_read_before", "read the body first", []string{"secret-behind-a-middleware"}, func(t *testing.T, s *inspected.Service) {
		pushTo(t, s, "middleware", "secret-behind-a-middleware", "secret-behind-a-middleware", inFront(func(r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	}},
	{"a wrong clock", "clock", "clock", []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, func(t *testing.T, s *inspected.Service) {
		late(t, s, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	}},
}

// Each wrong signature has its help on the page of the call, to which the list leads.
func TestEachWrongSignatureIsExplained(t *testing.T) {
	t.Parallel()
	s, b := inspectedBrowser(t)
	b.open("/calls")
	b.shows("None.")
	b.accessible("the empty list of calls")
	for i, w := range wrongCalls {
		w.make(t, s)
		b.open("/")
		b.next("open the refused calls", chromedp.Click(chromedp.CSS(`a[href="calls?refused=1"]`)))
		if rows := b.rows("main table"); len(rows) != i+1 {
			t.Fatalf("%s: %d calls: %q", w.name, len(rows), rows)
		}
		b.next("open the newest", chromedp.Click(chromedp.CSS("main table a")))
		help := b.text(".help li")
		if !strings.Contains(help, w.help) || !strings.HasSuffix(help, w.cause) {
			t.Errorf("%s: the help is %q, want %q and %q", w.name, help, w.help, w.cause)
		}
		t.Logf("%s: %s", w.name, help)
		html := b.text("html")
		for _, secret := range w.secrets {
			if strings.Contains(html, secret) {
				t.Errorf("%s: the page has the secret", w.name)
			}
		}
		if i == 0 {
			b.accessible("a refused call")
		}
	}
	b.open("/calls?refused=1")
	b.accessible("the refused calls")
	b.open("/")
	b.accessible("a list with refused calls")
}
