package jobserv_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestReceiverAnswers(t *testing.T) {
	secret := webhook.NewSecret(vectorSecret)
	src := jobserv.Source(secret)
	var mux webhook.Mux
	webhook.On(&mux, func(context.Context, *webhook.Event[jobserv.Build]) error { return nil })
	receiver := webhook.NewReceiver(src, &mux)
	body := fixture(t, "build.detailed.json")
	for _, tc := range []struct {
		name string
		r    *http.Request
		want int
	}{
		{"a signed call", webhooktest.NewRequest(src, "/", body), http.StatusAccepted},
		{"with a charset", webhooktest.NewRequest(src, "/", body, "Content-Type", "application/json; charset=utf-8"), http.StatusAccepted},
		{"a malformed body", webhooktest.NewRequest(src, "/", []byte(`{`)), http.StatusBadRequest},
		{"unsigned", httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body)), http.StatusUnauthorized},
		{"a form", webhooktest.NewRequest(src, "/", body, "Content-Type", "application/x-www-form-urlencoded"), http.StatusUnsupportedMediaType},
		{"a GET after a redirect", httptest.NewRequest(http.MethodGet, "/", nil), http.StatusMethodNotAllowed},
		{"a body over the limit", webhooktest.NewRequest(src, "/", make([]byte, 17<<20+1)), http.StatusRequestEntityTooLarge},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			receiver.ServeHTTP(w, tc.r)
			if w.Code != tc.want {
				t.Errorf("got %d, want %d", w.Code, tc.want)
			}
		})
	}
}

// A MEDIUMTEXT column holds up to 16 MiB - 1 bytes.
func TestLongestAnnotationIsAccepted(t *testing.T) {
	annotation := append([]byte(`"annotation": "`), bytes.Repeat([]byte("x"), 16<<20-1)...)
	body := bytes.Replace(fixture(t, "build.detailed.json"), []byte(`"annotation": null`), append(annotation, '"'), 1)
	src := jobserv.Source(webhook.NewSecret(vectorSecret))
	var rec webhooktest.Recorder
	w := httptest.NewRecorder()
	webhook.NewReceiver(src, &rec).ServeHTTP(w, webhooktest.NewRequest(src, "/", body))
	if w.Code != http.StatusAccepted || rec.Count() != 1 || rec.Deliveries()[0].OrderingKey != "acme/lmp" {
		t.Errorf("got %d and %d deliveries, want 202 and 1", w.Code, rec.Count())
	}
}

func TestMiddlewarePassesOnlyVerifiedCalls(t *testing.T) {
	secret := webhook.NewSecret(vectorSecret)
	body := fixture(t, "build.detailed.json")
	var project string
	h := jobserv.Source(secret).Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d, _ := webhook.DeliveryFromContext(r.Context())
		e, err := webhook.Decode[jobserv.Build](d)
		if err != nil {
			t.Error(err)
			return
		}
		project = e.Payload.Project()
		w.WriteHeader(http.StatusNoContent)
	}))

	w := httptest.NewRecorder()
	h.ServeHTTP(w, webhooktest.NewRequest(jobserv.Source(secret), "/hooks/jobserv", body))
	if w.Code != http.StatusNoContent || project != "acme/lmp" {
		t.Errorf("signed call: got %d and project %q, want 204 and acme/lmp", w.Code, project)
	}

	w = httptest.NewRecorder()
	h.ServeHTTP(w, webhooktest.NewRequest(jobserv.Source(webhook.NewSecret("other")), "/hooks/jobserv", body))
	if w.Code != http.StatusUnauthorized {
		t.Errorf("another secret: got %d, want 401", w.Code)
	}
}

func TestMiddlewareWithoutSecretPanics(t *testing.T) {
	for name, secrets := range map[string][]webhook.Secret{"none": nil, "an empty one": {{}}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			jobserv.Source(secrets...).Middleware(http.NotFoundHandler())
		}()
	}
}
