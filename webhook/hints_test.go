package webhook_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

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
				require.Empty(t, warned(t, log, "white space"))
				return
			}
			lines := warned(t, log, "white space")
			require.Len(t, lines, 1)
			require.Contains(t, lines[0]["msg"], test.text)
			require.Equal(t, "acme", lines[0]["source"])
			require.NotContains(t, log.String(), "hunter2")
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
			require.NoError(t, v.Validate())
			r := httptest.NewRequest("POST", "/", nil)
			require.NoError(t, v.Sign(r, []byte("{}")))
			_, err := v.Verify(r, []byte("{}"))
			require.NoError(t, err)
			secret = "hunter2\n"
			_, err = v.Verify(r, []byte("{}"))
			require.ErrorIs(t, err, webhook.ErrUnverified)
			require.ErrorContains(t, err, "(1 tried; the secret of key 1 ends in white space: a newline read from a file?)")
			require.NotContains(t, err.Error(), "hunter2")
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
			require.Equal(t, test.status, w.Code)
			require.Len(t, warned(t, log, test.reason), 1, log)
		})
	}
	t.Run("by a verifier that is asked without a Receiver", func(t *testing.T) {
		src := recvSource()
		require.NoError(t, src.Validate())
		_, err := src.Open(recvRequest(t, src, body), nil)
		require.ErrorIs(t, err, webhook.ErrUnverified)
		require.ErrorContains(t, err, "over a body of 0 bytes (Content-Length said 81): an earlier handler may have read it")
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
					require.Less(t, recvServe(mux, recvRequest(t, src, "{}")).Code, 300)
				}
				require.Len(t, warned(t, log, "mounted with a method"), before+test.lines)
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
			require.Equal(t, http.StatusAccepted, recvServe(rc, r).Code)
		}
		for range 100 {
			call()
		}
		lines := warned(t, log, "no known type")
		require.Len(t, lines, 1)
		require.Equal(t, "acme.unknown", lines[0]["delivery"].(map[string]any)["type"])
		advance(time.Minute)
		call()
		lines = warned(t, log, "no known type")
		require.Len(t, lines, 2)
		require.EqualValues(t, 99, lines[1]["unlogged"])
	})
	t.Run("a Source that never has a type is not logged", func(t *testing.T) {
		src := recvSource()
		src.Describe = nil
		rc := webhook.NewReceiver(src, recvOK)
		var log *recvLog
		rc.Logger, log = recvLogger()
		require.Equal(t, http.StatusAccepted, recvServe(rc, recvRequest(t, src, "{}")).Code)
		require.Empty(t, log.lines(t))
	})
}

func TestMiddlewareLogsAnUnknownType(t *testing.T) {
	log := mwQuiet(t)
	src := recvSource()
	h := src.Middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for range 3 {
		r := recvRequest(t, src, "{}")
		r.Header.Del("X-Event")
		require.Equal(t, http.StatusOK, recvServe(h, r).Code)
	}
	require.Len(t, warned(t, log, "no known type"), 1)
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
		require.Equal(t, http.StatusAccepted, recvServe(rc, r).Code)
	}
	t.Run("with what to do", func(t *testing.T) {
		rc, log := newReceiver()
		for range 3 {
			send(rc, "push")
			send(rc, "other")
		}
		require.Len(t, warned(t, log, `no handler for type "acme.push"`), 1)
		require.Len(t, warned(t, log, `no handler for type "acme.other"`), 1)
		require.Len(t, warned(t, log, "if that is intended, set Mux.IgnoreUnhandled"), 2)
	})
	t.Run("and few are logged however many types come", func(t *testing.T) {
		rc, log := newReceiver()
		for i := range 1000 {
			send(rc, fmt.Sprint(i))
		}
		require.Less(t, len(log.lines(t)), 100)
	})
	t.Run("but not where that is a choice", func(t *testing.T) {
		ignoring := &webhook.Mux{IgnoreUnhandled: true}
		rc := webhook.NewReceiver(src, ignoring)
		var log *recvLog
		rc.Logger, log = recvLogger()
		send(rc, "other")
		require.Empty(t, log.lines(t))
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
		require.Equal(t, http.StatusUnsupportedMediaType, recvServe(rc, r).Code)
		require.Len(t, warned(t, log, want), 1)
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
	require.Equal(t, http.StatusInternalServerError, w.Code)
}
