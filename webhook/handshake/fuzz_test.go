package handshake_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/handshake"
)

var everyFunc = handshake.Combine(
	handshake.Slack, handshake.Zoom(webhook.Key{Secret: webhook.NewSecret("s")}), handshake.DiscordEvents, handshake.DiscordInteractions,
	handshake.Meta(webhook.NewSecret("v")), handshake.MicrosoftGraph, handshake.CloudEvents(120, "a.example"), handshake.Trello)

var methods = []string{"GET", "HEAD", "OPTIONS", "POST"}

// Whatever comes, an answer is valid, bounded, and nothing that a browser reads as a page.
// There is none for a request that must be verified and is not.
func FuzzAnswerIsHarmless(f *testing.F) {
	f.Add(byte(0), "hub.mode=subscribe&hub.verify_token=v&hub.challenge=1", "", []byte(nil))
	f.Add(byte(0), "hub.mode=subscribe&hub.verify_token=v&hub.challenge=%0d%0aSet-Cookie:a", "", []byte(nil))
	f.Add(byte(1), "", "", []byte(nil))
	f.Add(byte(2), "", "a.example", []byte(nil))
	f.Add(byte(2), "", "a.example\r\nX: y", []byte(nil))
	f.Add(byte(3), "validationToken=Validation%3A+Testing", "", []byte(nil))
	f.Add(byte(3), "validationToken=%3Cscript%3E", "", []byte(nil))
	f.Add(byte(3), "", "", []byte(`{"type":"url_verification","challenge":"abc"}`))
	f.Add(byte(3), "", "", []byte(`{"event":"endpoint.url_validation","payload":{"plainToken":"abc"}}`))
	f.Add(byte(3), "", "", []byte(`{"type":0,"application_id":"2"}`))
	f.Add(byte(3), "", "", []byte(`{"type":1,"application_id":"2"}`))
	f.Fuzz(func(t *testing.T, method byte, query, origin string, body []byte) {
		r := httptest.NewRequest(methods[int(method)%len(methods)], "/", bytes.NewReader(body))
		r.URL.RawQuery = query
		r.Header["Webhook-Request-Origin"] = []string{origin}
		if a := everyFunc(r, body, nil); a != nil && bytes.HasPrefix(body, []byte("{")) && query == "" && r.Method == "POST" {
			t.Errorf("unverified body %q: answer %v", body, a)
		}
		src := webhook.Source{Name: "acme", Verifier: new(webhook.InsecureAcceptAll), Handshake: everyFunc}
		rc := webhook.NewReceiver(src, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return nil }))
		rc.Logger = slog.New(slog.DiscardHandler)
		w := httptest.NewRecorder()
		rc.ServeHTTP(w, r)
		if w.Code == 500 {
			t.Fatalf("answer 500: an Answer has a fault")
		}
		if w.Body.Len() > 1024 {
			t.Errorf("answer of %d bytes", w.Body.Len())
		}
		checkHarmless(t, w)
	})
}

func checkHarmless(t *testing.T, w *httptest.ResponseRecorder) {
	if w.Body.Len() > 0 {
		media, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
		if media != "text/plain" && media != "application/json" {
			t.Errorf("Content-Type %q", media)
		}
		if w.Header().Get("Content-Type") != "application/json" && w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Error("the answer may be sniffed")
		}
		if strings.ContainsAny(w.Body.String(), "<>\x00") {
			t.Errorf("answer %q", w.Body)
		}
	}
	allowed := map[string]bool{"Allow": true, "Cache-Control": true, "Content-Type": true, "Retry-After": true,
		"Webhook-Allowed-Origin": true, "Webhook-Allowed-Rate": true, "X-Content-Type-Options": true}
	for name, values := range w.Header() {
		for _, v := range values {
			if !allowed[name] || strings.ContainsAny(v, "\r\n") {
				t.Errorf("header %s: %q", name, v)
			}
		}
	}
	if got := w.Header().Get("WebHook-Allowed-Origin"); got != "" && got != "a.example" {
		t.Errorf("origin %q is allowed", got)
	}
}
