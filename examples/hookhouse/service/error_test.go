package service_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/examples/hookhouse/service"
	"github.com/hookhouse/hookhouse/webhook"
)

func TestURLsThatCannotBeUsed(t *testing.T) {
	for _, url := range []string{
		"", "service.example.com/debug/hooks/", "ftp://service.example.com/", "https:///debug/", "https://ops:pass-of-ops@service.example.com/",
		"https://ops@service.example.com/", "https://service.example.com/?token=pass-of-ops", "https://service.example.com/#x", "https://a:port/pass-of-ops",
	} {
		if _, err := service.New(url, "", webhook.Secret{}); !errors.Is(err, service.ErrURL) || strings.Contains(err.Error(), "pass-of-ops") {
			t.Errorf("%q: %v", url, err)
		}
	}
}

// TestErrorsSayWhatIsWrong: each is one line, and what the service says is in quotes.
func TestErrorsSayWhatIsWrong(t *testing.T) {
	const json, html = "application/json", "text/html; charset=utf-8"
	for _, tt := range []struct {
		name string
		h    http.Handler
		is   error
		says string
	}{
		{"no password", answering(401, "text/plain", "a name and a password are needed\n"), service.ErrDenied, `the service refuses: 401 Unauthorized: "a name and a password are needed"`},
		{"another network", answering(403, json, `{"error":"this inspector is read-only"}`), service.ErrDenied, `403 Forbidden: "this inspector is read-only"`},
		{"no such delivery", answering(404, json, `{"error":"there is no such delivery"}`), webhook.ErrNotFound, `404 Not Found: "there is no such delivery"`},
		{"another program", answering(404, "text/plain", "404 page not found\n"), service.ErrNotInspector, `this is not an inspector: http://127.0.0.1`},
		{"a state", answering(409, json, `{"error":"the state does not allow it"}`), webhook.ErrState, `409 Conflict: "the state does not allow it"`},
		{"a store that fails", answering(503, json, `{"error":"the store failed; the log says why"}`), service.ErrUnavailable, `503 Service Unavailable: "the store failed`},
		{"a store that is slow", answering(504, json, `{"error":"the store did not answer in time"}`), service.ErrUnavailable, `504 Gateway Timeout: "the store did`},
		{"a proxy without a service", answering(502, html, "<html>\n<p>bad"), service.ErrUnavailable, `502 Bad Gateway: "<html>"`},
		{"a page", answering(200, html, "<html>"), service.ErrNotInspector, `answers with "text/html", not with application/json`},
		{"other JSON", answering(200, json, `[]`), service.ErrNotInspector, "not JSON of the documented form"},
		{"a page of log in", http.RedirectHandler("https://login.example.com/?token=abc", http.StatusFound), service.ErrNotInspector, `redirects to "https://login.example.com", which is not followed`},
		{"terminal escapes", answering(500, json, `{"error":"\u001b[2J\u202e\nforged"}`), service.ErrUnavailable, `500 Internal Server Error: "\x1b[2J\u202e\nforged"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := serve(t, tt.h).Get(t.Context(), "00ff")
			if err == nil || tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.says) || strings.ContainsAny(err.Error(), "\x1b\u202e\n") {
				t.Errorf("%v, want %q", err, tt.says)
			}
		})
	}
	if _, err := client(t, "http://127.0.0.1:1/").Get(t.Context(), "00ff"); !errors.Is(err, service.ErrUnavailable) || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("nobody listens: %v", err)
	}
}

// TestThePasswordGoesToTheHostOfTheURLAlone: a redirect is not followed, not even one to
// another path of the host.
func TestThePasswordGoesToTheHostOfTheURLAlone(t *testing.T) {
	called := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer other.Close()
	got := ""
	c := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, got, _ = r.BasicAuth()
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	}))
	err := c.Bury(t.Context(), "00ff", webhook.Note{By: "ops", Why: "a test"})
	if !errors.Is(err, service.ErrNotInspector) || called || got != password {
		t.Errorf("%v, called %v, password %q", err, called, got)
	}
	if strings.Contains(err.Error()+c.String(), password) {
		t.Errorf("the password is in %v", err)
	}
}
