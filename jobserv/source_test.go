package jobserv_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/hookhouse/hookhouse/jobserv"
	"github.com/hookhouse/hookhouse/webhook"
	"github.com/hookhouse/hookhouse/webhook/webhooktest"
)

func TestADeliveryIsDescribed(t *testing.T) {
	for _, tc := range []struct {
		file, key string
		marks     int
	}{
		{"build.detailed.json", "acme/lmp", 1},
		{"build.minimal.json", "demo", 1},
		{"build.rerun.json", "acme/lmp", 1},
		{"build.not-detailed.json", "acme/lmp", 1},
		{"build.first-shape.json", "acme/lmp", 0},
		{"build.all-fields.json", "acme/lmp", 1},
	} {
		t.Run(tc.file, func(t *testing.T) {
			d := open(t, fixture(t, tc.file))
			if d.Source != "jobserv" || d.Type != "jobserv.build" || d.OrderingKey != tc.key || d.ID != "" {
				t.Errorf("got %s %s %q %q, want jobserv jobserv.build %q and no id", d.Source, d.Type, d.OrderingKey, d.ID, tc.key)
			}
			if len(d.DedupKeys) != tc.marks {
				t.Errorf("got %d dedup keys, want %d", len(d.DedupKeys), tc.marks)
			}
		})
	}
}

func TestARepeatedAttemptIsADuplicateAndARerunIsNot(t *testing.T) {
	var inbox webhook.MemInbox
	put := webhook.Store(&inbox)
	if err := put.Handle(t.Context(), open(t, fixture(t, "build.detailed.json"))); err != nil {
		t.Fatal(err)
	}
	err := put.Handle(t.Context(), open(t, fixture(t, "build.detailed.json")))
	if !errors.Is(err, webhook.ErrDuplicate) {
		t.Errorf("the same bytes again: got %v, want ErrDuplicate", err)
	}
	if err := put.Handle(t.Context(), open(t, fixture(t, "build.rerun.json"))); err != nil {
		t.Errorf("the same build after a rerun: got %v, want it stored", err)
	}
}

func TestTheProjectIsReadFromTheURL(t *testing.T) {
	for _, tc := range []struct{ name, body, want string }{
		{"one segment", `{"url":"https://h/projects/demo/builds/1/"}`, "demo"},
		{"two segments", `{"url":"https://h/projects/acme/lmp/builds/1/"}`, "acme/lmp"},
		{"a path before it", `{"url":"https://h/api/v1/projects/acme/lmp/builds/1/"}`, "acme/lmp"},
		{"no slash at the end", `{"url":"https://h/projects/demo/builds/1"}`, "demo"},
		{"a path alone", `{"url":"/projects/demo/builds/1/"}`, "demo"},
		{"a project with a segment builds", `{"url":"https://h/projects/a/builds/b/builds/1/"}`, "a/builds/b"},
		{"a percent-encoded name", `{"url":"https://h/projects/caf%C3%A9/builds/1/"}`, "caf\u00e9"},
		{"an escaped JSON name", `{"\u0075rl":"https://h/projects/demo/builds/1/"}`, "demo"},
		{"the name of the first shape", `{"project_name":"acme/lmp"}`, "acme/lmp"},
		{"the URL of the first shape", `{"build_url":"https://h/projects/demo/builds/1/"}`, "demo"},
		{"the URL before the name", `{"project_name":"b","url":"https://h/projects/a/builds/1/"}`, "a"},
		{"a URL of null", `{"url":null,"project_name":"b"}`, "b"},
		{"no project", `{"url":"https://h/projects//builds/1/"}`, ""},
		{"no build", `{"url":"https://h/projects/demo/"}`, ""},
		{"no URL", `{"url":"https://h:port/projects/demo/builds/1/"}`, ""},
		{"the query", `{"url":"https://h/?x=/projects/demo/builds/1/"}`, ""},
		{"nothing", `{}`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := open(t, []byte(tc.body))
			if d.OrderingKey != tc.want {
				t.Errorf("routed: got %q, want %q", d.OrderingKey, tc.want)
			}
			e, err := webhook.Decode[jobserv.Build](d)
			if err != nil {
				t.Fatal(err)
			}
			if got := e.Payload.Project(); got != tc.want {
				t.Errorf("decoded: got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestAMalformedBodyIsKeptAndNeverDecoded(t *testing.T) {
	for _, tc := range []struct{ name, body string }{
		{"url twice", `{"url":"https://h/projects/a/builds/1/","url":"https://h/projects/b/builds/1/"}`},
		{"url in another case", `{"url":"https://h/projects/a/builds/1/","URL":"https://h/projects/b/builds/1/"}`},
		{"url in another case alone", `{"Url":"https://h/projects/a/builds/1/"}`},
		{"url twice, once escaped", `{"url":"a","ur\u006c":"b"}`},
		{"project_name twice", `{"project_name":"a","project_name":"b"}`},
		{"project_name in another case", `{"Project_Name":"a"}`},
		{"build_url twice", `{"build_url":"a","build_url":"a"}`},
		{"an array", `[]`},
		{"null", `null`},
		{"text", `"url"`},
		{"cut short", `{"url":"https://h/projects/a/builds/1/"`},
		{"nothing", ``},
		{"two documents", `{}{}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := open(t, []byte(tc.body))
			if d.Type != "jobserv.build" || d.OrderingKey != "" {
				t.Errorf("got type %q and key %q, want jobserv.build and none", d.Type, d.OrderingKey)
			}
			if _, err := webhook.Decode[jobserv.Build](d); !errors.Is(err, webhook.ErrMalformed) {
				t.Errorf("as received: got %v, want ErrMalformed", err)
			}
			stored := &webhook.Delivery{Source: d.Source, Type: d.Type, Header: d.Header, Body: d.Body}
			if _, err := webhook.Decode[jobserv.Build](stored); !errors.Is(err, webhook.ErrMalformed) {
				t.Errorf("from storage: got %v, want ErrMalformed", err)
			}
		})
	}
}

func TestAReceiverAnswersByTheTable(t *testing.T) {
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
		{"a genuine call", webhooktest.NewRequest(src, "/", body), http.StatusAccepted},
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

// MEDIUMTEXT holds 16 MiB less one byte.
func TestABuildWithTheLongestAnnotationIsTaken(t *testing.T) {
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

// open returns the delivery of a signed call with this body.
func open(t testing.TB, body []byte) *webhook.Delivery {
	t.Helper()
	src := source(t, webhook.NewSecret(vectorSecret))
	d, err := src.Open(webhooktest.NewRequest(src, "/hooks/jobserv", body), body)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
