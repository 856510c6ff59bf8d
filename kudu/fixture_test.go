package kudu_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/internal/samples"
	"github.com/hookhouse/hookhouse/kudu"
	"github.com/hookhouse/hookhouse/webhook"
)

// fixtures returns the bodies in testdata, and the shared ones, by file name.
func fixtures(t testing.TB) map[string][]byte { return samples.Bodies(t, "kudu/*.json") }

// typeOf returns the type of a fixture by its file name.
func typeOf(name string) string {
	switch {
	case strings.Contains(name, "deployment") && !strings.HasPrefix(name, "hook"):
		return "kudu.PostDeployment"
	case strings.HasPrefix(name, "job"), strings.HasPrefix(name, "triggeredjob"):
		return "kudu.TriggeredJobFinished"
	default:
		return "kudu.unknown"
	}
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	body, ok := fixtures(t)[name]
	if !ok {
		t.Fatalf("no fixture %s", name)
	}
	return body
}

func decode[T webhook.Payload](t testing.TB, body []byte) T {
	t.Helper()
	var zero T
	e, err := webhook.Decode[T](&webhook.Delivery{Type: zero.EventType(), Body: body})
	if err != nil {
		t.Fatal(err)
	}
	return e.Payload
}

// asMap decodes doc and keeps numbers in the form in which they are written.
func asMap(t testing.TB, doc []byte) map[string]any {
	t.Helper()
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

const (
	token    = "sc4le-token-0123456789abcdef0123"
	oldToken = "0ld-sc4le-token-3210fedcba987654"
)

func source() webhook.Source {
	return kudu.Source(webhook.NewSecret(token), webhook.NewSecret(oldToken))
}

// open returns the Delivery of a call with the token and the body.
func open(t testing.TB, body []byte) *webhook.Delivery {
	t.Helper()
	return samples.Open(t, source(), httptest.NewRequest(http.MethodPost, "/?token="+token, nil), body)
}

func decodeByType(d *webhook.Delivery) error {
	var err error
	switch d.Type {
	case "kudu.PostDeployment":
		_, err = webhook.Decode[kudu.Deployment](d)
	case "kudu.TriggeredJobFinished":
		_, err = webhook.Decode[kudu.TriggeredJobRun](d)
	}
	return err
}

func call(target, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	return r
}

// without returns body without the named members.
func without(t testing.TB, body []byte, names ...string) []byte {
	t.Helper()
	m := asMap(t, body)
	for _, name := range names {
		delete(m, name)
	}
	return encode(t, m)
}

func encode(t testing.TB, v any) []byte {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return body
}
