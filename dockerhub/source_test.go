package dockerhub_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/webhook"
)

func TestReceiverAnswers(t *testing.T) {
	const body = `{"push_data":{"tag":"1"},"repository":{"repo_name":"a/b","full_description":"do not log me"}}`
	large := `{"push_data":{"tag":"1"},"repository":{"repo_name":"a/b","full_description":"` + strings.Repeat("x", 2<<20) + `"}}`
	for _, tc := range []struct {
		name, target, body string
		status             int
		label              string
	}{
		{"the token in the path", "/hooks/dockerhub/" + token, body, 202, "1"},
		{"the old token in the path", "/hooks/dockerhub/" + oldToken, body, 202, "2"},
		{"the token in the query", "/hooks/dockerhub?token=" + token, body, 202, "1"},
		{"the token in the query and another one in the path", "/hooks/dockerhub/other?token=" + token, body, 202, "1"},
		{"a README of 2 MiB", "/hooks/dockerhub/" + token, large, 202, "1"},
		{"an unknown event", "/hooks/dockerhub/" + token, `{}`, 202, "1"},
		{"a wrong token in the path", "/hooks/dockerhub/" + token + "0", body, 401, ""},
		{"a wrong token in the query", "/hooks/dockerhub?token=" + token[1:], body, 401, ""},
		{"no token", "/hooks/dockerhub", body, 401, ""},
		{"an empty token", "/hooks/dockerhub?token=", body, 401, ""},
		{"two tokens", "/hooks/dockerhub?token=" + token + "&token=" + token, body, 401, ""},
		{"not JSON", "/hooks/dockerhub/" + token, `do not log me`, 400, "1"},
		{"more than 3 MiB", "/hooks/dockerhub/" + token, strings.Repeat("x", 3<<20+1), 413, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var mux webhook.Mux
			webhook.On(&mux, func(context.Context, *webhook.Event[dockerhub.Push]) error { return nil })
			var got *webhook.Delivery
			rc := webhook.NewReceiver(source(), webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
				got = d
				return mux.Handle(ctx, d)
			}))
			var log bytes.Buffer
			rc.Logger = slog.New(slog.NewTextHandler(&log, nil))
			routes := http.NewServeMux()
			routes.Handle("/hooks/dockerhub/{token}", rc)
			routes.Handle("/hooks/dockerhub", rc)

			w := httptest.NewRecorder()
			routes.ServeHTTP(w, call(tc.target, tc.body))

			if w.Code != tc.status {
				t.Errorf("status %d, want %d; log: %s", w.Code, tc.status, &log)
			}
			if (got != nil) != (tc.label != "") {
				t.Fatalf("delivery %v", got)
			}
			if got != nil && got.KeyLabel != tc.label {
				t.Errorf("key %q, want %q", got.KeyLabel, tc.label)
			}
			if seen := log.String() + w.Body.String() + headerText(got); strings.Contains(seen, "token-") || strings.Contains(seen, "do not log me") {
				t.Errorf("log, answer or header contains the token or the body: %s", seen)
			}
		})
	}
}

func headerText(d *webhook.Delivery) string {
	if d == nil {
		return ""
	}
	return fmt.Sprint(d.Header)
}

func TestOtherMethodsGet405(t *testing.T) {
	rc := webhook.NewReceiver(source(), webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return nil }))
	rc.Logger = slog.New(slog.DiscardHandler)
	w := httptest.NewRecorder()
	rc.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/?token="+token, nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" {
		t.Errorf("got %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}

func TestBasicSourceSendsAChallenge(t *testing.T) {
	var header http.Header
	rc := webhook.NewReceiver(dockerhub.BasicSource(webhook.NewSecret(token)),
		webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
			header = d.Header
			return nil
		}))
	rc.Logger = slog.New(slog.DiscardHandler)
	w := httptest.NewRecorder()
	rc.ServeHTTP(w, call("/", `{}`))
	if got := w.Header().Get("WWW-Authenticate"); w.Code != 401 || got != `Basic realm="dockerhub"` {
		t.Errorf("got %d, challenge %q", w.Code, got)
	}
	w = httptest.NewRecorder()
	r := call("/", `{}`)
	r.SetBasicAuth("anyone", token)
	rc.ServeHTTP(w, r)
	if w.Code != 202 || header == nil || header.Get("Authorization") != "" {
		t.Errorf("got %d, header %v", w.Code, header)
	}
}

func TestMiddlewarePassesOnlyVerifiedCalls(t *testing.T) {
	before := slog.Default() // Middleware logs there
	t.Cleanup(func() { slog.SetDefault(before) })
	slog.SetDefault(slog.New(slog.DiscardHandler))
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, ok := webhook.DeliveryFromContext(r.Context())
		if !ok {
			t.Error("no delivery in the context")
			return
		}
		e, err := webhook.Decode[dockerhub.Push](d)
		if err != nil {
			t.Error(err)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || !bytes.Equal(body, d.Body) {
			t.Errorf("body %s, %v", body, err)
		}
		_, _ = io.WriteString(w, e.Payload.Image())
	})
	routes := http.NewServeMux()
	routes.Handle("/hooks/dockerhub/{token}", dockerhub.Source(webhook.NewSecret(token)).Middleware(next))
	for target, want := range map[string]string{token: "northwind/scale:v2.0.1", "wrong": "Unauthorized\n"} {
		w := httptest.NewRecorder()
		routes.ServeHTTP(w, call("/hooks/dockerhub/"+target, string(fixture(t, "push.2026.documented.json"))))
		if got := w.Body.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSourceWithoutSecretIsInvalid(t *testing.T) {
	for name, src := range map[string]webhook.Source{
		"no token":        dockerhub.Source(),
		"no password":     dockerhub.BasicSource(),
		"an empty token":  dockerhub.Source(webhook.NewSecret(token), webhook.NewSecret("")),
		"a zero password": dockerhub.BasicSource(webhook.Secret{}),
	} {
		if err := src.Validate(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
