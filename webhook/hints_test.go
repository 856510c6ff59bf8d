package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookhouse/hookhouse/webhook"
)

// warned returns the log lines whose message or reason contains text.
func warned(t *testing.T, log *recvLog, text string) (lines []map[string]any) {
	t.Helper()
	for _, line := range log.lines(t) {
		if strings.Contains(fmt.Sprint(line["msg"], line["reason"]), text) {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestSecretWithWhiteSpaceIsLoggedOnce(t *testing.T) {
	keys := webhook.Keys(webhook.NewSecret("first"), webhook.NewSecret("hunter2\n"))
	ends := "the secret of key 2 ends in white space: a newline read from a file?"
	for _, test := range []struct {
		name     string
		verifier webhook.Verifier
		text     string // if empty, nothing is logged
	}{
		{"of an HMAC", &webhook.HMAC{Header: "X-Sig", Keys: keys}, ends},
		{"of a Token", &webhook.Token{Query: "token", Keys: keys}, ends},
		{"of BasicAuth", &webhook.BasicAuth{Keys: keys}, ends},
		{"of two places for one token", webhook.URLToken(keys...), ends},
		{"of one in a list", webhook.NewAllOf(&webhook.InsecureAcceptAll{}, &webhook.HMAC{Header: "X-Sig", Keys: keys}), ends},
		{"from a func", &webhook.HMAC{Header: "X-Sig", KeysFunc: func() []webhook.Key { return keys }}, ends},
		{"that is a carriage return", &webhook.Token{Query: "token", Keys: webhook.Keys(webhook.NewSecret("hunter2\r"))}, "the secret of key 1 ends in white space"},
		{"that precedes it", &webhook.Token{Query: "token", Keys: webhook.Keys(webhook.NewSecret(" hunter2"))}, "the secret of key 1 begins in white space"},
		{"but not inside it", &webhook.Token{Query: "token", Keys: webhook.Keys(webhook.NewSecret("hun ter2"))}, ""},
		{"but not of a key in base64, which does not count it", &webhook.StandardWebhooks{Keys: webhook.Keys(webhook.NewSecret("whsec_aHVudGVyMg==\n"))}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			rc := webhook.NewReceiver(webhook.Source{Name: "acme", Verifier: test.verifier}, recvOK)
			var log *recvLog
			rc.Logger, log = recvLogger()
			for range 3 {
				recvServe(rc, httptest.NewRequest("POST", "/", strings.NewReader("{}")))
			}
			if test.text == "" {
				if got := warned(t, log, "white space"); len(got) != 0 {
					t.Fatalf(`warned(log, "white space") = %v, want empty`, got)
				}
				return
			}
			lines := warned(t, log, "white space")
			if len(lines) != 1 {
				t.Fatalf("len(lines) = %d, want 1: %v", len(lines), lines)
			}
			if got, _ := lines[0]["msg"].(string); !strings.Contains(got, test.text) {
				t.Fatalf("message = %q, want it to contain %q", got, test.text)
			}
			if lines[0]["source"] != "acme" {
				t.Fatalf(`lines[0]["source"] = %v, want %v`, lines[0]["source"], "acme")
			}
			if got := log.String(); strings.Contains(got, "hunter2") {
				t.Fatalf("log.String() = %q, want it not to contain \"hunter2\"", got)
			}
		})
	}
}

func TestRefusalNamesTheWhiteSpaceOfARotatedKey(t *testing.T) {
	secret := "hunter2"
	keys := func() []webhook.Key { return webhook.Keys(webhook.NewSecret(secret)) }
	for name, v := range map[string]interface {
		webhook.Verifier
		webhook.Signer
		Validate() error
	}{
		"HMAC":      &webhook.HMAC{Header: "X-Sig", KeysFunc: keys},
		"Token":     &webhook.Token{Query: "token", KeysFunc: keys},
		"BasicAuth": &webhook.BasicAuth{KeysFunc: keys},
	} {
		t.Run(name, func(t *testing.T) {
			secret = "hunter2"
			if err := v.Validate(); err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest("POST", "/", nil)
			if err := v.Sign(r, []byte("{}")); err != nil {
				t.Fatal(err)
			}
			_, err := v.Verify(r, []byte("{}"))
			if err != nil {
				t.Fatal(err)
			}
			secret = "hunter2\n"
			_, err = v.Verify(r, []byte("{}"))
			if !errors.Is(err, webhook.ErrUnverified) {
				t.Fatalf("error = %v, want %v", err, webhook.ErrUnverified)
			}
			if err == nil || !strings.Contains(err.Error(), "(1 tried; the secret of key 1 ends in white space: a newline read from a file?)") {
				t.Fatalf("error = %v, want it to contain \"(1 tried; the secret of key 1 ends in white space: a newline read from a file?)\"", err)
			}
			if got := err.Error(); strings.Contains(got, "hunter2") {
				t.Fatalf("err.Error() = %q, want it not to contain \"hunter2\"", got)
			}
		})
	}
}

// readFirst reads the body before next, as a middleware that logs bodies does.
func readFirst(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		next.ServeHTTP(w, r)
	})
}

func TestRefusalNamesABodyThatAnEarlierHandlerRead(t *testing.T) {
	body := `{"ref":"` + strings.Repeat("x", 71) + `"}` // 81 bytes
	byToken := webhook.Source{Name: "acme", Verifier: &webhook.Token{Header: "X-Token", Keys: webhook.Keys(webhook.NewSecret(recvSecret))}}
	for _, test := range []struct {
		name   string
		source webhook.Source
		length int64 // -1 means chunked
		status int
		reason string
	}{
		{"where the sender signs", recvSource(), 81, 500, "the body ended after 0 of 81 bytes: an earlier handler may have read it"},
		{"where nothing else would notice", byToken, 81, 500, "the body ended after 0 of 81 bytes: an earlier handler may have read it"},
		{"where no length was announced", recvSource(), -1, 401, "matches no live key (1 tried) over a body of 0 bytes: an earlier handler may have read it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			rc := webhook.NewReceiver(test.source, recvMustNotRun(t))
			var log *recvLog
			rc.Logger, log = recvLogger()
			r := recvRequest(t, test.source, body)
			r.ContentLength = test.length
			w := recvServe(readFirst(rc), r)
			if w.Code != test.status {
				t.Fatalf("w.Code = %d, want %d", w.Code, test.status)
			}
			if got := warned(t, log, test.reason); len(got) != 1 {
				t.Fatalf("%v: len(warned(log, test.reason)) = %d, want 1: %v", log, len(got), got)
			}
		})
	}
	t.Run("by a verifier that is asked without a Receiver", func(t *testing.T) {
		src := recvSource()
		if err := src.Validate(); err != nil {
			t.Fatal(err)
		}
		_, err := src.Open(recvRequest(t, src, body), nil)
		if !errors.Is(err, webhook.ErrUnverified) {
			t.Fatalf("error = %v, want %v", err, webhook.ErrUnverified)
		}
		if err == nil || !strings.Contains(err.Error(), "over a body of 0 bytes (Content-Length said 81): an earlier handler may have read it") {
			t.Fatalf("error = %v, want it to contain \"over a body of 0 bytes (Content-Length said 81): an earlier handler may have read it\"", err)
		}
	})
}

func TestPatternWithAMethodIsLoggedOnce(t *testing.T) {
	src := recvSource()
	answers := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for _, test := range []struct {
		pattern string
		lines   int
	}{{"POST /hooks/acme", 1}, {"POST\texample.com/hooks/acme", 1}, {"/hooks/acme", 0}, {"example.com/hooks/{x}", 0}} {
		t.Run(test.pattern, func(t *testing.T) {
			log := mwQuiet(t)
			for _, h := range []http.Handler{webhook.NewReceiver(src, recvOK), src.Middleware(answers)} {
				before := len(warned(t, log, "mounted with a method"))
				mux := http.NewServeMux()
				mux.Handle(test.pattern, h)
				for range 3 {
					if got := recvServe(mux, recvRequest(t, src, "{}")).Code; got >= 300 {
						t.Fatalf(`recvServe(mux, recvRequest(src, "{}")).Code = %d, want less than %d`, got, 300)
					}
				}
				if got := warned(t, log, "mounted with a method"); len(got) != before+test.lines {
					t.Fatalf(`len(warned(log, "mounted with a method")) = %d, want %d: %v`, len(got), before+test.lines, got)
				}
			}
		})
	}
}

func TestUnknownTypeIsLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := recvSource()
		rc := webhook.NewReceiver(src, webhook.Store(&webhook.MemInbox{}))
		var log *recvLog
		rc.Logger, log = recvLogger()
		call := func() {
			r := recvRequest(t, src, "{}")
			r.Header.Del("X-Event")
			if got := recvServe(rc, r).Code; got != http.StatusAccepted {
				t.Fatalf("recvServe(rc, r).Code = %d, want %d", got, http.StatusAccepted)
			}
		}
		for range 100 {
			call()
		}
		lines := warned(t, log, "no known type")
		if len(lines) != 1 {
			t.Fatalf("len(lines) = %d, want 1: %v", len(lines), lines)
		}
		if got := lines[0]["delivery"].(map[string]any)["type"]; got != "acme.unknown" {
			t.Fatalf(`lines[0]["delivery"].(map[string]any)["type"] = %v, want %v`, got, "acme.unknown")
		}
		advance(time.Minute)
		call()
		lines = warned(t, log, "no known type")
		if len(lines) != 2 {
			t.Fatalf("len(lines) = %d, want 2: %v", len(lines), lines)
		}
		if lines[1]["unlogged"] != 99.0 {
			t.Fatalf(`lines[1]["unlogged"] = %v, want %v`, lines[1]["unlogged"], 99)
		}
	})
	t.Run("a Source that never has a type is not logged", func(t *testing.T) {
		src := recvSource()
		src.Describe = nil
		rc := webhook.NewReceiver(src, recvOK)
		var log *recvLog
		rc.Logger, log = recvLogger()
		if got := recvServe(rc, recvRequest(t, src, "{}")).Code; got != http.StatusAccepted {
			t.Fatalf(`recvServe(rc, recvRequest(src, "{}")).Code = %d, want %d`, got, http.StatusAccepted)
		}
		if got := log.lines(t); len(got) != 0 {
			t.Fatalf("log.lines() = %v, want empty", got)
		}
	})
}

func TestMiddlewareLogsAnUnknownType(t *testing.T) {
	log := mwQuiet(t)
	src := recvSource()
	h := src.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for range 3 {
		r := recvRequest(t, src, "{}")
		r.Header.Del("X-Event")
		if got := recvServe(h, r).Code; got != http.StatusOK {
			t.Fatalf("recvServe(h, r).Code = %d, want %d", got, http.StatusOK)
		}
	}
	if got := warned(t, log, "no known type"); len(got) != 1 {
		t.Fatalf(`len(warned(log, "no known type")) = %d, want 1: %v`, len(got), got)
	}
}

func TestUnhandledTypeIsLoggedOnceForEachType(t *testing.T) {
	src := recvSource()
	var mux webhook.Mux
	mux.Route("push", recvOK) // instead of "acme.push"
	newReceiver := func() (*webhook.Receiver, *recvLog) {
		rc := webhook.NewReceiver(src, &mux)
		var log *recvLog
		rc.Logger, log = recvLogger()
		return rc, log
	}
	send := func(rc *webhook.Receiver, event string) {
		r := recvRequest(t, src, "{}")
		r.Header.Set("X-Event", event)
		if got := recvServe(rc, r).Code; got != http.StatusAccepted {
			t.Fatalf("recvServe(rc, r).Code = %d, want %d", got, http.StatusAccepted)
		}
	}
	t.Run("with what to do", func(t *testing.T) {
		rc, log := newReceiver()
		for range 3 {
			send(rc, "push")
			send(rc, "other")
		}
		if got := warned(t, log, `no handler for type "acme.push"`); len(got) != 1 {
			t.Fatalf("len(warned(...)) = %d, want 1: %v", len(got), got)
		}
		if got := warned(t, log, `no handler for type "acme.other"`); len(got) != 1 {
			t.Fatalf("len(warned(...)) = %d, want 1: %v", len(got), got)
		}
		if got := warned(t, log, "if that is intended, set Mux.IgnoreUnhandled"); len(got) != 2 {
			t.Fatalf(`len(warned(log, "if that is intended, set Mux.IgnoreUnhandled")) = %d, want 2: %v`, len(got), got)
		}
	})
	t.Run("and few are logged however many types come", func(t *testing.T) {
		rc, log := newReceiver()
		for i := range 1000 {
			send(rc, fmt.Sprint(i))
		}
		if got := len(log.lines(t)); got >= 100 {
			t.Fatalf("len(log.lines()) = %d, want less than 100", got)
		}
	})
	t.Run("but not where that is a choice", func(t *testing.T) {
		ignoring := &webhook.Mux{IgnoreUnhandled: true}
		rc := webhook.NewReceiver(src, ignoring)
		var log *recvLog
		rc.Logger, log = recvLogger()
		send(rc, "other")
		if got := log.lines(t); len(got) != 0 {
			t.Fatalf("log.lines() = %v, want empty", got)
		}
	})
}

func TestRefusedMediaTypeIsLoggedWithTheAcceptedOnes(t *testing.T) {
	src := recvSource()
	src.ContentTypes = []string{"application/json", formType}
	rc := webhook.NewReceiver(src, recvMustNotRun(t))
	var log *recvLog
	rc.Logger, log = recvLogger()
	for sent, want := range map[string]string{
		"text/plain": `not supported: "text/plain", taken are application/json, application/x-www-form-urlencoded`,
		"":           `not supported: "", taken are application/json, application/x-www-form-urlencoded`,
	} {
		r := recvRequest(t, src, "{}")
		r.Header.Set("Content-Type", sent)
		if got := recvServe(rc, r).Code; got != http.StatusUnsupportedMediaType {
			t.Fatalf("recvServe(rc, r).Code = %d, want %d", got, http.StatusUnsupportedMediaType)
		}
		if got := warned(t, log, want); len(got) != 1 {
			t.Fatalf("len(warned(log, want)) = %d, want 1: %v", len(got), got)
		}
	}
}

func TestPanicOfKeysFuncIsRecovered(t *testing.T) {
	calls := 0
	src := webhook.Source{Name: "acme", Verifier: &webhook.Token{Query: "token", KeysFunc: func() []webhook.Key {
		if calls++; calls > 1 {
			panic("vault is away")
		}
		return webhook.Keys(webhook.NewSecret(recvSecret))
	}}}
	rc := webhook.NewReceiver(src, webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return nil }))
	rc.Logger, _ = recvLogger()
	w := recvServe(rc, httptest.NewRequest("POST", "/?token=x", strings.NewReader("{}")))
	if w.Code != http.StatusInternalServerError {
		t.Fatalf("w.Code = %d, want %d", w.Code, http.StatusInternalServerError)
	}
}
