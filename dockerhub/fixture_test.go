package dockerhub_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hookhouse/hookhouse/dockerhub"
	"github.com/hookhouse/hookhouse/internal/samples"
	"github.com/hookhouse/hookhouse/webhook"
)

// fixtures returns the bodies in testdata, and the shared ones, by file name.
func fixtures(t testing.TB) map[string][]byte { return samples.Bodies(t, "dockerhub/*.json") }

// pushes returns the fixtures that are pushes.
func pushes(t testing.TB) map[string][]byte {
	t.Helper()
	bodies := fixtures(t)
	for name := range bodies {
		if strings.Contains(name, "unknown") || strings.Contains(name, "callback-body") {
			delete(bodies, name)
		}
	}
	return bodies
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	body, ok := fixtures(t)[name]
	if !ok {
		t.Fatalf("no fixture %s", name)
	}
	return body
}

func decode(t testing.TB, body []byte) dockerhub.Push {
	t.Helper()
	e, err := webhook.Decode[dockerhub.Push](&webhook.Delivery{Type: "dockerhub.push", Body: body})
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

// withFields returns a push with only the required fields and the given ones.
func withFields(data, repository string) []byte {
	comma := func(s string) string {
		if s == "" {
			return ""
		}
		return "," + s
	}
	return []byte(`{"push_data":{"pusher":"ci-bot"` + comma(data) + `},"repository":{"repo_name":"northwind/scale",` +
		`"name":"scale","namespace":"northwind","owner":"northwind","repo_url":"","status":"Active","is_private":false,` +
		`"is_trusted":false,"is_official":false,"star_count":0` + comma(repository) + `}}`)
}

const (
	token    = "n0rthw1nd-token-0123456789abcdef"
	oldToken = "0ld-n0rthw1nd-token-fedcba987654"
)

func source() webhook.Source {
	return dockerhub.Source(webhook.NewSecret(token), webhook.NewSecret(oldToken))
}

// open returns the Delivery of a call with the token and the body.
func open(t testing.TB, body []byte) *webhook.Delivery {
	t.Helper()
	return samples.Open(t, source(), httptest.NewRequest(http.MethodPost, "/?token="+token, nil), body)
}

func call(target, body string) *http.Request {
	return httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
}
