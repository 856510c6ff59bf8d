package kudu_test

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

	"github.com/google/go-cmp/cmp"

	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
)

func TestReceiverAnswers(t *testing.T) {
	const body = `{"siteName":"s","message":"do not log me"}`
	for _, tc := range []struct {
		name, target, body string
		status             int
		label              string
	}{
		{"the token in the path", "/hooks/kudu/" + token, body, 202, "1"},
		{"the old token in the path", "/hooks/kudu/" + oldToken, body, 202, "2"},
		{"the token in the query", "/hooks/kudu?token=" + token, body, 202, "1"},
		{"an unknown event", "/hooks/kudu/" + token, `{}`, 202, "1"},
		{"a wrong token in the path", "/hooks/kudu/" + token + "0", body, 401, ""},
		{"a wrong token in the query", "/hooks/kudu?token=" + token[1:], body, 401, ""},
		{"no token", "/hooks/kudu", body, 401, ""},
		{"an empty token", "/hooks/kudu?token=", body, 401, ""},
		{"two tokens", "/hooks/kudu?token=" + token + "&token=" + token, body, 401, ""},
		{"not JSON", "/hooks/kudu/" + token, `do not log me`, 400, "1"},
		{"more than 1 MiB", "/hooks/kudu/" + token, strings.Repeat("x", 1<<20+1), 413, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var mux webhook.Mux
			webhook.On(&mux, func(context.Context, *webhook.Event[kudu.Deployment]) error { return nil })
			var got *webhook.Delivery
			rc := webhook.NewReceiver(source(), webhook.HandlerFunc(func(ctx context.Context, d *webhook.Delivery) error {
				got = d
				return mux.Handle(ctx, d)
			}))
			var log bytes.Buffer
			rc.Logger = slog.New(slog.NewTextHandler(&log, nil))
			routes := http.NewServeMux()
			routes.Handle("/hooks/kudu/{token}", rc)
			routes.Handle("/hooks/kudu", rc)

			w := httptest.NewRecorder()
			routes.ServeHTTP(w, call(tc.target, tc.body))

			if w.Code != tc.status {
				t.Errorf("status %d, want %d; log: %s", w.Code, tc.status, &log)
			}
			if (got != nil) != (tc.label != "") {
				t.Fatalf("delivery %v", got)
			}
			seen := log.String() + w.Body.String()
			if got != nil {
				seen += fmt.Sprint(got.Header)
				if got.KeyLabel != tc.label {
					t.Errorf("key %q, want %q", got.KeyLabel, tc.label)
				}
			}
			if strings.Contains(seen, "token-") || strings.Contains(seen, "do not log me") {
				t.Errorf("log, answer or header contains the token or the body: %s", seen)
			}
		})
	}
}

func TestOtherMediaTypesGet415(t *testing.T) {
	rc := webhook.NewReceiver(source(), webhook.HandlerFunc(func(context.Context, *webhook.Delivery) error { return nil }))
	rc.Logger = slog.New(slog.DiscardHandler)
	r := call("/?token="+token, `{}`)
	r.Header.Set("Content-Type", "text/plain")
	w := httptest.NewRecorder()
	rc.ServeHTTP(w, r)
	if w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("got %d, want 415", w.Code)
	}
}

// callAsKudu makes calls as .NET does: the first without credentials, and a
// second one with them if the answer asks for Basic authentication.
func callAsKudu(t *testing.T, target, user, password, body string) (statuses []int) {
	t.Helper()
	send := func(authorize bool) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
		if authorize {
			r.SetBasicAuth(user, password)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.Body.Close(); err != nil {
			t.Fatal(err)
		}
		statuses = append(statuses, answer.StatusCode)
		return answer
	}
	first := send(false)
	if first.StatusCode == 401 && strings.HasPrefix(first.Header.Get("WWW-Authenticate"), "Basic ") {
		send(true)
	}
	return statuses
}

func TestBasicSourceSendsTheChallengeThatKuduWaitsFor(t *testing.T) {
	var got []*webhook.Delivery
	rc := webhook.NewReceiver(kudu.BasicSource(webhook.NewSecret(token)),
		webhook.HandlerFunc(func(_ context.Context, d *webhook.Delivery) error {
			got = append(got, d)
			return nil
		}))
	var log bytes.Buffer
	rc.Logger = slog.New(slog.NewTextHandler(&log, nil))
	server := httptest.NewServer(rc)
	t.Cleanup(server.Close)
	body := string(fixture(t, "deployment.camel.all-fields.json"))

	if diff := cmp.Diff([]int{401, 202}, callAsKudu(t, server.URL, "hook", token, body)); diff != "" {
		t.Errorf("the password (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{401, 401}, callAsKudu(t, server.URL, "hook", token+"0", body)); diff != "" {
		t.Errorf("another password (-want +got):\n%s", diff)
	}
	if len(got) != 1 || string(got[0].Body) != body || got[0].Header.Get("Authorization") != "" {
		t.Errorf("deliveries %v", got)
	}
	if strings.Contains(log.String(), "token-") || strings.Contains(log.String(), "Kim Poe") {
		t.Errorf("the log contains the password or the body: %s", &log)
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
		e, err := webhook.Decode[kudu.Deployment](d)
		if err != nil {
			t.Error(err)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || !bytes.Equal(body, d.Body) {
			t.Errorf("body %s, %v", body, err)
		}
		_, _ = io.WriteString(w, e.Payload.Site())
	})
	routes := http.NewServeMux()
	routes.Handle("/hooks/kudu/{token}", kudu.Source(webhook.NewSecret(token)).Middleware(next))
	for target, want := range map[string]string{token: "scale-staging.scm.azurewebsites.net", "wrong": "Unauthorized\n"} {
		w := httptest.NewRecorder()
		routes.ServeHTTP(w, call("/hooks/kudu/"+target, string(fixture(t, "deployment.camel.all-fields.json"))))
		if got := w.Body.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSourceWithoutSecretIsInvalid(t *testing.T) {
	for name, src := range map[string]webhook.Source{
		"no token":        kudu.Source(),
		"no password":     kudu.BasicSource(),
		"an empty token":  kudu.Source(webhook.NewSecret(token), webhook.NewSecret("")),
		"a zero password": kudu.BasicSource(webhook.Secret{}),
	} {
		if err := src.Validate(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
